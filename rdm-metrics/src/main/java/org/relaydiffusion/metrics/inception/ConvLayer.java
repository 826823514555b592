// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.MemoryFormat;
import org.relaydiffusion.torch.PackedConv2d;
import org.relaydiffusion.torch.PackedConv2d.Activation;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Initializer;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * A convolution without bias, batch normalization with scale 1, and ReLU: {@code max(0, (w * x -
 * mean) / sqrt(var + 0.001) + beta)}.
 */
final class ConvLayer extends Layer {
  private static final double EPS = 1e-3;

  /** With three channels, oneDNN's kernel takes three times as long as with four. */
  private static final int FEWEST_PACKED = 4;

  private final Kernel kernel;
  private final Parameter weight;
  private final Parameter beta;
  private final Parameter mean;
  private final Parameter var;
  private Path path = Path.EXACT;
  private Activation activation = Activation.RELU;
  private @Nullable PackedConv2d packed;

  /**
   * Creates the layer.
   *
   * @param in number of input channels
   * @param out number of output channels
   */
  ConvLayer(int in, int out, Kernel kernel) {
    this.kernel = kernel;
    double fanIn = (double) in * kernel.height() * kernel.width();
    // Initialized so that activations have similar magnitudes in all layers; networks with
    // different random values then differ visibly.
    Initializer normal = (g, shape) -> g.randn(DType.FLOAT32, shape);
    weight =
        parameter(
            "weight",
            scaled(normal, Math.sqrt(2 / fanIn), 0),
            out,
            in,
            kernel.height(),
            kernel.width());
    beta = parameter("beta", scaled(normal, 0.1, 0), out);
    mean = buffer("mean", scaled(normal, 0.1, 0), out);
    var = buffer("var", scaled((g, shape) -> g.rand(DType.FLOAT32, shape), 1, 0.5), out);
  }

  private static Initializer scaled(Initializer draw, double factor, double offset) {
    return (generator, shape) -> {
      try (TensorScope scope = TensorScope.open()) {
        return scope.keep(draw.make(generator, shape).mul(factor).add(offset));
      }
    };
  }

  @Override
  Extent prepare(Path wanted, Extent in) {
    return prepare(wanted, in, Activation.RELU);
  }

  /** Prepares as {@link #prepare(Path, Extent)}; with NONE, the caller applies the ReLU. */
  Extent prepare(Path wanted, Extent in, Activation wantedActivation) {
    path = wanted;
    activation = wantedActivation;
    if (wanted != Path.EXACT) {
      try (TensorScope _ = TensorScope.open()) {
        fold(in);
      }
    }
    return kernel.over(in);
  }

  /** Folds the normalization into weight and bias, computed in float64. */
  private void fold(Extent in) {
    Tensor factor = Pointwise.reciprocal(Pointwise.sqrt(wide(var).add(EPS)));
    Tensor w = wide(weight).mul(factor.reshape(-1, 1, 1, 1)).to(DType.FLOAT32);
    Tensor b = wide(beta).sub(wide(mean).mul(factor)).to(DType.FLOAT32);
    if (path == Path.PACKED) {
      packed =
          PackedConv2d.pack(
              filled(w),
              b,
              new PackedConv2d.Geometry(
                  kernel.stride(),
                  kernel.padding(),
                  in.batch(),
                  in.height(),
                  in.width(),
                  activation));
      weight.close();
      beta.close();
    } else {
      weight.set(Shapes.contiguous(w, MemoryFormat.CHANNELS_LAST));
      beta.set(b);
    }
    mean.close();
    var.close();
  }

  private static Tensor wide(Parameter parameter) {
    return parameter.value().to(DType.FLOAT64);
  }

  @Override
  Tensor forward(Tensor x) {
    return observed(
        switch (path) {
          case EXACT -> activated(normalised(x));
          case FOLDED ->
              activated(
                  Functional.conv2d(
                      x, weight.value(), beta.value(), kernel.stride(), kernel.padding(), 1));
          case PACKED -> packed(x);
        });
  }

  private Tensor normalised(Tensor x) {
    try (Tensor y =
        Functional.conv2d(x, weight.value(), null, kernel.stride(), kernel.padding(), 1)) {
      return Functional.batchNorm(y, mean.value(), var.value(), null, beta.value(), EPS);
    }
  }

  private Tensor packed(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor filled = Shapes.contiguous(filled(x), MemoryFormat.CHANNELS_LAST);
      return scope.keep(Objects.requireNonNull(packed).apply(filled));
    }
  }

  /** Pads the channels of images, or of the weight, with zeros if there are too few. */
  private static Tensor filled(Tensor x) {
    long missing = FEWEST_PACKED - x.size(1);
    if (missing <= 0) {
      return x;
    }
    Tensor zeros = Torch.zeros(DType.FLOAT32, x.size(0), missing, x.size(2), x.size(3));
    return Shapes.cat(List.of(x, zeros), 1);
  }

  private Tensor activated(Tensor fresh) {
    return switch (activation) {
      case NONE -> fresh;
      case RELU -> Pointwise.reluInPlace(fresh);
    };
  }

  @Override
  public void close() {
    super.close();
    if (packed != null) {
      packed.close();
      packed = null;
    }
  }
}
