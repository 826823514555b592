// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import org.relaydiffusion.torch.Tensor;

/** Sequential layers; its convolutions are named conv, conv_1, conv_2 and so on. */
final class Tower extends Layer {
  private final Widths widths;
  private final Map<String, Layer> layers = new LinkedHashMap<>();
  private int channels;
  private int convolutions;

  /**
   * Creates an empty tower.
   *
   * @param in number of input channels of the published network
   */
  Tower(int in, Widths widths) {
    this.channels = in;
    this.widths = widths;
  }

  /** Appends a convolution with {@code out} channels, as published. */
  Tower conv(int out, Kernel kernel) {
    String name = numbered("conv", convolutions++);
    return add(name, new ConvLayer(widths.of(channels), widths.of(out), kernel), out);
  }

  /** Appends a pooling. */
  Tower pool(String name, PoolLayer pool) {
    return add(name, pool, channels);
  }

  /** Appends a layer with {@code out} output channels, as published. */
  Tower add(String name, Layer layer, int out) {
    layers.put(name, child(name, layer));
    channels = out;
    return this;
  }

  /** Returns the name of the n-th of several: the first has no number. */
  static String numbered(String name, int n) {
    return n == 0 ? name : name + "_" + n;
  }

  @Override
  Extent prepare(Path path, Extent in) {
    Extent extent = in;
    for (Layer layer : layers.values()) {
      extent = layer.prepare(path, extent);
    }
    return extent;
  }

  @Override
  Tensor forward(Tensor x) {
    return forward(x, (_, _) -> {});
  }

  /**
   * Computes as {@link #forward(Tensor)}, exposing the output of each layer.
   *
   * @param seen receives the name of a layer and its output, which is freed afterwards
   */
  Tensor forward(Tensor x, BiConsumer<String, Tensor> seen) {
    Tensor y = x;
    for (Map.Entry<String, Layer> layer : layers.entrySet()) {
      Tensor next = layer.getValue().forward(y);
      // Freed before the scope ends: otherwise, most memory would hold activations that are no
      // longer needed.
      if (y != x) {
        y.close();
      }
      y = next;
      seen.accept(layer.getKey(), y);
    }
    return observed(y);
  }
}
