// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

import java.nio.file.Path;
import org.relaydiffusion.metrics.extraction.ExtractionOptions.Content;
import org.relaydiffusion.metrics.inception.FeatureExtractor;
import org.relaydiffusion.metrics.inception.InceptionFeatures;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;

/** An extraction in a process of its own: {@code DATA TARGET CONTENT MILLIS_A_BATCH}. */
final class ExtractionMain {
  private ExtractionMain() {}

  /** A picture's first pixels are its features. */
  static FeatureExtractor firstPixels(long millis) {
    return images -> {
      try {
        Thread.sleep(millis);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
      Tensor pixels = images.reshape(images.size(0), -1).to(DType.FLOAT32);
      return new InceptionFeatures(
          Shapes.narrow(pixels, 1, 0, 10), Shapes.narrow(pixels, 1, 10, 4));
    };
  }

  public static void main(String[] args) {
    LibTorch.configure(Settings.APPLICATION);
    Extractions.of(
            Path.of(args[0]),
            Path.of(args[1]),
            Content.valueOf(args[2]),
            firstPixels(Long.parseLong(args[3])))
        .run();
  }
}
