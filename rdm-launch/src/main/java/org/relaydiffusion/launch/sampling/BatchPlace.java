// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.util.Iterator;
import java.util.stream.IntStream;
import org.relaydiffusion.diffusion.SampleRequest;

/**
 * The place of an image in the batch that it was sampled in.
 *
 * @param size of the batch, at least 1
 * @param index in the batch, from 0
 */
record BatchPlace(int size, int index) {
  /** Returns the places of the images of a request, in their order. */
  static Iterator<BatchPlace> of(SampleRequest request) {
    return request.seeds().batches(request.batch(), request.rank(), request.worldSize()).stream()
        .flatMap(batch ->
            IntStream.range(0, batch.length).mapToObj(i -> new BatchPlace(batch.length, i)))
        .iterator();
  }
}
