// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import org.relaydiffusion.diffusion.random.Subset;
import org.relaydiffusion.metrics.SampleArray;
import org.relaydiffusion.metrics.npy.NpyReader;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The images of an .npz file, which need no decoding.
 *
 * @param array owned by this object
 * @param subset the selected images
 */
record SampleImages(SampleArray array, Subset subset) implements ImageSet {
  static SampleImages open(ExtractionOptions options) {
    SampleArray array = SampleArray.open(options.data());
    Subset subset =
        options.maxImages().isPresent()
            ? Subset.drawn(array.count(), options.maxImages().getAsInt(), options.subsetSeed())
            : Subset.all(array.count());
    return new SampleImages(array, subset);
  }

  @Override
  public int size() {
    return subset.size();
  }

  @Override
  public int all() {
    return array.count();
  }

  @Override
  public String fingerprint() {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is not available", e);
    }
    String all =
        "%s x %s x %s %s\n"
            .formatted(array.count(), array.height(), array.width(), array.checksum());
    digest.update(all.getBytes(StandardCharsets.UTF_8));
    for (int i = 0; i < subset.size(); i++) {
      digest.update((subset.raw(i) + "\n").getBytes(StandardCharsets.UTF_8));
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  @Override
  public Path file(int index) {
    return array.picture(subset.raw(index));
  }

  @Override
  public Reading read(Iterator<int[]> batches, int workers, Device device) {
    NpyReader pass = array.pass();
    return new Reading() {
      private int at;

      @Override
      public Batch next() {
        int[] indices = batches.next();
        try (TensorScope scope = TensorScope.open()) {
          List<Tensor> runs = new ArrayList<>();
          for (int i = 0; i < indices.length; ) {
            int first = subset.raw(indices[i]);
            int length = 1;
            while (i + length < indices.length
                && subset.raw(indices[i + length]) == first + length) {
              length++;
            }
            pass.skip(first - at);
            runs.add(pass.read(length));
            at = first + length;
            i += length;
          }
          Tensor rows = runs.size() == 1 ? runs.getFirst() : Shapes.cat(runs, 0);
          Tensor images = Shapes.permute(rows, 0, 3, 1, 2).contiguous().to(device);
          return new Batch(scope.keep(images), indices);
        }
      }

      @Override
      public void close() {
        pass.close();
      }
    };
  }

  @Override
  public void close() {
    array.close();
  }
}
