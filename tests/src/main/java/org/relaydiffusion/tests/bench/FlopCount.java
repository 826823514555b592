// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.relaydiffusion.model.layer.Conv2d;
import org.relaydiffusion.model.layer.UNetBlock;
import org.relaydiffusion.model.unet.NetworkConfig;
import org.relaydiffusion.model.unet.UNet;

/** The floating-point operations of one image's forward pass: convolutions and attention. */
final class FlopCount {
  /** A convolution and its resolution. */
  record Convolution(int in, int out, int kernel, int resolution) {
    double flops() {
      return 2.0 * in * out * kernel * kernel * resolution * resolution;
    }
  }

  private record Counted(List<Convolution> convolutions, double attention) {}

  private FlopCount() {}

  static double of(NetworkConfig config) {
    Counted c = count(config);
    return c.convolutions.stream().mapToDouble(Convolution::flops).sum() + c.attention;
  }

  static Convolution largest(NetworkConfig config) {
    return count(config).convolutions.stream()
        .max(Comparator.comparingDouble(Convolution::flops))
        .orElseThrow();
  }

  private static Counted count(NetworkConfig config) {
    List<Convolution> convolutions = new ArrayList<>();
    double[] attention = new double[1];
    try (UNet network = config.architecture().make(config)) {
      network.walk((path, module) -> {
        int r = resolution(path, config);
        if (module instanceof Conv2d conv && conv.config().kernel() > 0) {
          Conv2d.Config c = conv.config();
          convolutions.add(new Convolution(c.in(), c.out(), c.kernel(), r));
        }
        if (module instanceof UNetBlock block && block.config().heads() > 0) {
          // q k and weights v, each [L, L] by the channels.
          double pixels = (double) r * r;
          attention[0] += 4 * pixels * pixels * block.config().out();
        }
      });
    }
    return new Counted(convolutions, attention[0]);
  }

  /** The name of a block begins with its output resolution: enc.32x32_down, dec.64x64_up. */
  private static int resolution(String path, NetworkConfig config) {
    String[] parts = path.split("\\.", -1);
    if (parts.length < 2 || !parts[1].contains("x")) {
      return config.resolution();
    }
    return Integer.parseInt(parts[1].substring(0, parts[1].indexOf('x')));
  }
}
