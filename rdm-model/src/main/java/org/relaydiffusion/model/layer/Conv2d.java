package org.relaydiffusion.model.layer;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.MemoryFormat;
import org.relaydiffusion.torch.PackedConv2d;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Module;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * A convolution with stride 1 and padding kernel / 2, and optionally a resampling with a fixed
 * low-pass filter before it; only a fused one going down comes after it. With kernel 0 only the
 * resampling happens.
 */
public final class Conv2d extends Module {
  private final Config config;
  private final @Nullable Parameter weight;
  private final @Nullable Parameter bias;
  private final @Nullable Parameter filter;
  private @Nullable PackedConv2d packed;
  private Path path = Path.REFERENCE;
  private MemoryFormat format = MemoryFormat.CONTIGUOUS;

  /** How the layer computes. */
  enum Path {
    /** The reference's operations in its order. */
    REFERENCE,
    /** The same sums in fewer operations, each of which autograd can go back through. */
    DIRECT,
    /** With weights rearranged for oneDNN: evaluation only. */
    PACKED
  }

  /**
   * What a convolution is.
   *
   * @param in channels of its input
   * @param out channels of its output
   * @param kernel width and height: 0, 1 or 3
   * @param resolution width and height of the images that it convolves; packing chooses by it
   * @param resample up, down or neither
   * @param resampleFilter the one-dimensional low-pass filter, e.g. 1, 1 or 1, 3, 3, 1
   * @param fusedResample whether filter and convolution share their padding (NCSN++'s residual
   *     skip)
   * @param init first values
   * @param withBias whether a bias is added, last
   * @param interleaved how many parts take turns in the output's channels (3 for query, key,
   *     value); {@link #pack} sorts them into blocks
   */
  public record Config(
      int in,
      int out,
      int kernel,
      int resolution,
      Resample resample,
      List<Integer> resampleFilter,
      boolean fusedResample,
      WeightInit init,
      boolean withBias,
      int interleaved) {
    /** A plain convolution with a bias. */
    public static Config plain(int in, int out, int kernel, int resolution, WeightInit init) {
      return new Config(
          in, out, kernel, resolution, Resample.NONE, List.of(1, 1), false, init, true, 1);
    }

    /** A convolution that resamples, with a bias. */
    public static Config resampling(
        int in,
        int out,
        int kernel,
        int resolution,
        Resample resample,
        List<Integer> filter,
        WeightInit init) {
      return new Config(in, out, kernel, resolution, resample, filter, false, init, true, 1);
    }

    /** A 1x1 convolution whose output channels take turns between {@code parts} tensors. */
    static Config interleaving(int in, int parts, int resolution, WeightInit init) {
      return new Config(
          in, parts * in, 1, resolution, Resample.NONE, List.of(1, 1), false, init, true, parts);
    }
  }

  /** Makes the layer. */
  public Conv2d(Config config) {
    this.config = config;
    int k = config.kernel;
    long fanIn = (long) config.in * k * k;
    long fanOut = (long) config.out * k * k;
    weight =
        k == 0
            ? null
            : parameter("weight", config.init.weight(fanIn, fanOut), config.out, config.in, k, k);
    bias =
        k == 0 || !config.withBias
            ? null
            : parameter("bias", config.init.bias(fanIn, fanOut), config.out);
    int taps = config.resampleFilter.size();
    filter =
        config.resample == Resample.NONE
            ? null
            : buffer("resample_filter", (_, _) -> outerFilter(), 1, 1, taps, taps);
  }

  /** What this convolution is. */
  public Config config() {
    return config;
  }

  /**
   * Prepares for fast evaluation: rearranges weight and bias for oneDNN and lets go of the
   * originals. From now on only {@link #forward} in channels-last order and evaluation mode works.
   * A fused resampling stays as it is.
   *
   * @param dtype what the convolution computes in
   */
  public void pack(DType dtype) {
    if (path == Path.PACKED || config.fusedResample) {
      return;
    }
    path = Path.PACKED;
    if (weight != null) {
      try (TensorScope _ = TensorScope.open()) {
        Tensor w = sorted(weight.value().to(dtype));
        Tensor b = bias == null ? null : sorted(bias.value().to(dtype));
        packed = PackedConv2d.pack(w, b, config.kernel / 2, config.resolution);
      }
      weight.close();
      if (bias != null) {
        bias.close();
      }
    }
  }

  /**
   * Prepares for fast training, and for evaluation of what is being trained: weight and bias keep
   * their values and names. A fused resampling stays as it is.
   *
   * @param layout the order in which weights lie from now on, and to which inputs are brought
   */
  public void direct(MemoryFormat layout) {
    if (config.fusedResample) {
      return;
    }
    path = Path.DIRECT;
    format = layout;
    if (weight != null) {
      weight.set(Shapes.contiguous(weight.value(), format));
    }
  }

  /** How it computes. */
  Path path() {
    return path;
  }

  /** The order in which inputs and outputs of {@link Path#DIRECT} lie. */
  MemoryFormat format() {
    return format;
  }

  /** Rows a0 b0 c0 a1 b1 c1 ... as a0 a1 ... b0 b1 ... c0 c1 ... */
  private Tensor sorted(Tensor rows) {
    if (config.interleaved == 1) {
      return rows;
    }
    long[] shape = rows.shape();
    Tensor turns = rows.reshape(shape[0] / config.interleaved, config.interleaved, -1);
    return Shapes.transpose(turns, 0, 1).reshape(shape).contiguous();
  }

  /** [N, in, H, W] to [N, out, H', W']. */
  public Tensor forward(Tensor x) {
    return observed(
        switch (path) {
          case REFERENCE -> forwardExact(x);
          case DIRECT -> forwardDirect(x, Rows.AS_STORED);
          case PACKED -> forwardPacked(x);
        });
  }

  /** The reference's operations in its order; the bias is added last. */
  private Tensor forwardExact(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor w = weight == null ? null : weight.value().to(x.dtype());
      int padding = config.kernel / 2;
      int filterPadding = (config.resampleFilter.size() - 1) / 2;
      Tensor y;
      if (config.fusedResample && config.resample == Resample.UP && w != null) {
        Tensor up = upsample(x, Math.max(filterPadding - padding, 0));
        y = Functional.conv2d(up, w, null, 1, Math.max(padding - filterPadding, 0), 1);
      } else if (config.fusedResample && config.resample == Resample.DOWN && w != null) {
        y = downsample(Functional.conv2d(x, w, null, 1, padding + filterPadding, 1), 0);
      } else {
        y =
            switch (config.resample) {
              case NONE -> x;
              case UP -> upsample(x, filterPadding);
              case DOWN -> downsample(x, filterPadding);
            };
        if (w != null) {
          y = Functional.conv2d(y, w, null, 1, padding, 1);
        }
      }
      if (bias != null) {
        Tensor b = bias.value().to(x.dtype()).reshape(1, -1, 1, 1);
        // The form in place has no derivative.
        y = GradMode.isEnabled() ? y.add(b) : Pointwise.addInPlace(y, b);
      }
      return scope.keep(y);
    }
  }

  /** The order of a convolution's output channels. */
  private enum Rows {
    AS_STORED,
    SORTED
  }

  /**
   * As {@link #forward} of {@link Path#DIRECT}, with the parts that take turns sorted into blocks.
   */
  Tensor forwardSorted(Tensor x) {
    return observed(forwardDirect(x, Rows.SORTED));
  }

  private Tensor forwardDirect(Tensor x, Rows rows) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor y = Shapes.contiguous(resampleFast(x), format);
      if (weight == null) {
        return scope.keep(y);
      }
      Tensor w = weight.value().to(x.dtype());
      Tensor b = bias == null ? null : bias.value().to(x.dtype());
      if (rows == Rows.SORTED) {
        w = sorted(w);
        b = b == null ? null : sorted(b);
      }
      return scope.keep(Functional.conv2d(y, w, b, 1, config.kernel / 2, 1));
    }
  }

  private Tensor forwardPacked(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor y = resampleFast(x);
      return scope.keep(weight == null ? y : Objects.requireNonNull(packed).apply(y));
    }
  }

  /** As the filters do it, but [1, 1] as what it is: repetition going up, a mean going down. */
  private Tensor resampleFast(Tensor x) {
    boolean box = config.resampleFilter.equals(List.of(1, 1));
    int filterPadding = (config.resampleFilter.size() - 1) / 2;
    return switch (config.resample) {
      case NONE -> x;
      case UP ->
          box
              ? Functional.upsampleNearest(x, 2 * x.size(2), 2 * x.size(3))
              : upsample(x, filterPadding);
      case DOWN -> box ? Functional.averagePool(x, 2) : downsample(x, filterPadding);
    };
  }

  private Tensor upsample(Tensor x, int padding) {
    Tensor f = Objects.requireNonNull(filter).value().to(x.dtype());
    int c = Math.toIntExact(x.size(1));
    return Functional.convTranspose2d(x, Shapes.repeat(f.mul(4), c, 1, 1, 1), null, 2, padding, c);
  }

  private Tensor downsample(Tensor x, int padding) {
    Tensor f = Objects.requireNonNull(filter).value().to(x.dtype());
    int c = Math.toIntExact(x.size(1));
    return Functional.conv2d(x, Shapes.repeat(f, c, 1, 1, 1), null, 2, padding, c);
  }

  private Tensor outerFilter() {
    List<Integer> f = config.resampleFilter;
    double sum = f.stream().mapToInt(Integer::intValue).sum();
    float[] outer = new float[f.size() * f.size()];
    for (int i = 0; i < outer.length; i++) {
      outer[i] = (float) (f.get(i / f.size()) * f.get(i % f.size()) / (sum * sum));
    }
    return Torch.tensor(outer, 1, 1, f.size(), f.size());
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
