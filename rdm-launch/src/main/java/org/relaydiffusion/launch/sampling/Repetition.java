// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.util.Optional;
import java.util.stream.LongStream;
import org.relaydiffusion.diffusion.SampleRequest;

/**
 * How a run repeats an image ({@code --like}).
 *
 * @param origin the image, whose networks are compared with those of the run
 * @param place the size of the batch and the place in it at which the image is sampled: those that
 *     it had, because kernels for another size may round differently; the rest of the batch are
 *     copies. Empty if other seeds are sampled, or in another batch size
 */
record Repetition(PictureOrigin origin, Optional<BatchPlace> place) {
  /** Requests a batch of the image and its copies, if it is sampled in one. */
  void request(SampleRequest.Builder request) {
    place.ifPresent(its ->
        request
            .seeds(LongStream.generate(origin::seed).limit(its.size()).toArray())
            .batch(its.size()));
  }

  /** Returns whether the image at a place of a batch is a copy, which is not written. */
  boolean isCopy(BatchPlace other) {
    return place.isPresent() && !place.get().equals(other);
  }
}
