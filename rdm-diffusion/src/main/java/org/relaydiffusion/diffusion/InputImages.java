// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** Input images of a later stage that are provided by the caller. */
final class InputImages {
  private InputImages() {}

  /**
   * Returns the images of a batch, scaled to [-1, 1] by {@code p / 127.5 - 1} and upsampled to the
   * network's resolution by repeating pixels. They may differ in size.
   *
   * @return float64 [N, C, H, W]
   */
  static Tensor load(StartImages source, long[] seeds, Stage stage, Device device) {
    Denoiser net = stage.network();
    try (var scope = TensorScope.open()) {
      List<Tensor> images = new ArrayList<>();
      for (long seed : seeds) {
        Pixels pixels = source.image(seed);
        check(pixels, seed, stage);
        images.add(
            Functional.upsampleNearest(tensor(pixels), net.resolution(), net.resolution())
                .reshape(net.channels(), net.resolution(), net.resolution()));
      }
      return scope.keep(Torch.stack(images, 0).to(device));
    }
  }

  private static Tensor tensor(Pixels pixels) {
    int channels = pixels.channels();
    int plane = pixels.width() * pixels.height();
    byte[] data = pixels.data();
    double[] values = new double[data.length];
    for (int i = 0; i < plane; i++) {
      for (int c = 0; c < channels; c++) {
        values[c * plane + i] = (data[i * channels + c] & 0xff) / 127.5 - 1;
      }
    }
    return Torch.tensor(values, 1, channels, pixels.height(), pixels.width());
  }

  private static void check(Pixels pixels, long seed, Stage stage) {
    Denoiser net = stage.network();
    if (pixels.channels() != net.channels()) {
      throw new OptionException(
          "the image of seed %s has %s channels, but the %s network has %s"
              .formatted(seed, pixels.channels(), stage.name(), net.channels()));
    }
    if (pixels.width() != pixels.height() || net.resolution() % pixels.width() != 0) {
      throw new OptionException(
          "the image of seed %s is %s x %s, but must be square with a side that divides %s"
              .formatted(seed, pixels.width(), pixels.height(), net.resolution()));
    }
  }
}
