// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.relaydiffusion.model.layer.Linear;
import org.relaydiffusion.model.layer.WeightInit;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.MemoryFormat;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Module;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * Inception-v3 (Szegedy et al., 2015, arXiv 1512.00567) in its version of 2015-12-05: the layers
 * with the published names, from an image at the network's resolution to features.
 */
public final class InceptionV3 extends Module {
  /** The width and height of its input images. */
  public static final int RESOLUTION = 299;

  /** The number of classes of {@code output}. */
  public static final int CLASSES = 1008;

  private static final String SPATIAL_LAYER = "mixed_6";
  private static final int SPATIAL_CHANNELS = 7;
  private static final double GREY = 128;

  private final Tower layers;
  private final Linear output;
  private Layer.Path path = Layer.Path.EXACT;

  /** Creates the published network with uninitialized weights. */
  public InceptionV3() {
    this(Widths.PUBLISHED);
  }

  /** Creates a network with uninitialized weights and other numbers of channels. */
  InceptionV3(Widths widths) {
    Kernel k1 = Kernel.of(1);
    Kernel k3 = Kernel.of(3);
    layers =
        new Tower(3, widths)
            .conv(32, k3.halving())
            .conv(32, k3)
            .conv(64, k3.padded())
            .pool("pool0", PoolLayer.maximum(k3.halving()))
            .conv(80, k1)
            .conv(192, k3)
            .pool("pool1", PoolLayer.maximum(k3.halving()))
            .add("mixed", Mixed.a(192, 32, widths), 256)
            .add("mixed_1", Mixed.a(256, 64, widths), 288)
            .add("mixed_2", Mixed.a(288, 64, widths), 288)
            .add("mixed_3", Mixed.b(288, widths), 768)
            .add("mixed_4", Mixed.c(768, 128, widths), 768)
            .add("mixed_5", Mixed.c(768, 160, widths), 768)
            .add("mixed_6", Mixed.c(768, 160, widths), 768)
            .add("mixed_7", Mixed.c(768, 192, widths), 768)
            .add("mixed_8", Mixed.d(768, widths), 1280)
            .add("mixed_9", new MixedE(1280, PoolLayer.average(k3.padded()), widths), 2048)
            .add("mixed_10", new MixedE(2048, PoolLayer.maximum(k3.padded()), widths), 2048)
            .pool("pool2", PoolLayer.average(Kernel.of(8)));
    child("layers", layers);
    output = child("output", Linear.of(widths.of(2048), CLASSES, WeightInit.DEFAULT));
  }

  /**
   * Prepares weights that have been set. Must be called once.
   *
   * @param wanted how to compute from now on
   * @param batch the usual batch size; others are also supported
   * @param device of the computation; parameters are moved to it
   */
  void prepare(Layer.Path wanted, Device device, int batch) {
    path = wanted;
    if (device.type() != Device.Type.CPU) {
      state().values().forEach(p -> p.set(p.value().to(device)));
    }
    layers.prepare(wanted, new Extent(batch, RESOLUTION, RESOLUTION));
  }

  /**
   * Computes the features of images.
   *
   * @param images float32 [N, 3, 299, 299], red, green and blue from 0 to 255
   * @return features, which belong to the innermost scope, or to the caller
   */
  public InceptionFeatures forward(Tensor images) {
    try (TensorScope scope = TensorScope.open()) {
      // The divisor is a power of two, so multiplying by its inverse gives the same bits.
      Tensor x = Pointwise.mulInPlace(images.add(-GREY), Torch.scalar(1 / GREY));
      if (path == Layer.Path.FOLDED) {
        x = Shapes.contiguous(x, MemoryFormat.CHANNELS_LAST);
      }
      Map<String, Tensor> seen = new HashMap<>();
      Tensor pool =
          layers.forward(
              x,
              (name, y) -> {
                if (name.equals(SPATIAL_LAYER)) {
                  seen.put(name, spatial(y));
                }
              });
      return new InceptionFeatures(
          scope.keep(pool.reshape(pool.size(0), -1)),
          scope.keep(Objects.requireNonNull(seen.get(SPATIAL_LAYER))));
    }
  }

  /** Its first branch is {@code mixed_6.conv}, so its first channels are those of that layer. */
  private static Tensor spatial(Tensor mixed6) {
    Tensor first = Shapes.narrow(mixed6, 1, 0, SPATIAL_CHANNELS);
    return Shapes.copy(first.contiguous()).reshape(mixed6.size(0), -1);
  }

  /** Returns the last layer, whose tensors remain owned by this network. */
  OutputLayer output() {
    Map<String, Parameter> own = output.state();
    return new OutputLayer(
        Objects.requireNonNull(own.get("weight")).value(),
        Objects.requireNonNull(own.get("bias")).value());
  }
}
