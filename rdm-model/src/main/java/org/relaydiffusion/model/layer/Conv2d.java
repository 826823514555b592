// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.MemoryFormat;
import org.relaydiffusion.torch.PackedConv2d;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * A convolution with stride 1 and padding kernel / 2, and optionally a resampling with a fixed
 * low-pass filter before it; only a fused one going down comes after it. With kernel 0 only the
 * resampling happens.
 */
public final class Conv2d extends Layer {
  private static final int KERNEL_OF_UPSAMPLED = 3;

  private final Config config;
  private final @Nullable Parameter weight;
  private final @Nullable Parameter bias;
  private final @Nullable Resampling resampling;
  private @Nullable AdaptiveConv2d packed;
  private @Nullable UpsampledConv2d upsampled;

  /** What {@link Execution.Prepared} adds, in the type of the activations. */
  private @Nullable Tensor preparedBias;

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
   *     skip); such a convolution always computes as the reference does
   * @param init first values
   * @param withBias whether a bias is added, last
   * @param interleaved how many parts take turns in the output's channels (3 for query, key,
   *     value); packing sorts them into blocks
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

    /** The same convolution, sharing its padding with the filter. */
    public Config fused() {
      return new Config(
          in, out, kernel, resolution, resample, resampleFilter, true, init, withBias, interleaved);
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
    List<Integer> taps = config.resampleFilter;
    resampling =
        config.resample == Resample.NONE
            ? null
            : new Resampling(
                config.resample,
                taps,
                buffer(
                    "resample_filter",
                    (_, _) -> Resampling.outerFilter(taps),
                    1,
                    1,
                    taps.size(),
                    taps.size()));
  }

  /** What this convolution is. */
  public Config config() {
    return config;
  }

  @Override
  protected void prepared() {
    if (weight == null || (config.fusedResample && !(execution() instanceof Execution.Prepared))) {
      return;
    }
    switch (execution()) {
      case Execution.Reference _ -> {}
      case Execution.Direct direct ->
          weight.set(Shapes.contiguous(weight.value(), direct.format(config.resolution)));
      case Execution.Packed wanted -> pack(weight, wanted);
      case Execution.Prepared wanted -> convert(weight, wanted);
    }
  }

  /** Converts weight and bias, with parts that take turns sorted into blocks. */
  private void convert(Parameter plain, Execution.Prepared wanted) {
    if (!plain.isSet()) {
      return;
    }
    try (TensorScope _ = TensorScope.open()) {
      plain.set(sorted(plain.value()).to(wanted.dtype()).contiguous());
      if (bias != null) {
        bias.set(sorted(bias.value()).contiguous());
        setPreparedBias(bias.value().to(wanted.dtype()));
      }
    }
  }

  private void setPreparedBias(@Nullable Tensor value) {
    Tensor before = preparedBias;
    preparedBias = value == null ? null : value.release();
    if (before != null) {
      before.close();
    }
  }

  /**
   * Adds the bias of another convolution, whose output is added to this one's, to this one's bias.
   * For {@link Execution.Prepared}.
   */
  void absorbBias(Conv2d other) {
    if (bias == null || other.bias == null) {
      return;
    }
    try (TensorScope _ = TensorScope.open()) {
      setPreparedBias(bias.value().add(other.bias.value()).to(execution().dtype()));
    }
    other.setPreparedBias(null);
  }

  /** The weight, sorted and converted; for {@link Execution.Prepared}. */
  Tensor preparedWeight() {
    return Objects.requireNonNull(weight).value();
  }

  /** The bias in float32, sorted, or none; for {@link Execution.Prepared}. */
  @Nullable Tensor plainBias() {
    return bias == null ? null : bias.value();
  }

  /** Rearranges weight and bias for oneDNN, and gives up the originals. */
  private void pack(Parameter plain, Execution.Packed wanted) {
    if (!plain.isSet()) {
      return;
    }
    try (TensorScope _ = TensorScope.open()) {
      Tensor w = sorted(plain.value());
      Tensor b = bias == null ? null : sorted(bias.value());
      if (resampling != null && resampling.repeats() && config.kernel == KERNEL_OF_UPSAMPLED) {
        upsampled = UpsampledConv2d.pack(w, b, wanted, config.resolution / 2);
      } else {
        packed =
            new AdaptiveConv2d(
                PackedConv2d.pack(
                    w.to(wanted.dtype()),
                    b == null ? null : b.to(wanted.dtype()),
                    config.kernel / 2,
                    config.resolution));
      }
    }
    plain.close();
    if (bias != null) {
      bias.close();
    }
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
    if (config.fusedResample) {
      return observed(forwardReference(x));
    }
    return observed(
        switch (execution()) {
          case Execution.Reference _ -> forwardReference(x);
          case Execution.Direct direct -> forwardDirect(x, direct, Rows.AS_STORED);
          case Execution.Packed _ -> forwardPacked(x);
          case Execution.Prepared _ -> forwardPrepared(x, preparedBias);
        });
  }

  /** As {@link #forward} without the bias, for {@link Execution.Prepared}. */
  Tensor forwardWithoutBias(Tensor x) {
    return observed(forwardPrepared(x, null));
  }

  /** As {@link #forward}, with the parts that take turns sorted into blocks. */
  Tensor forwardSorted(Tensor x) {
    return observed(
        switch (execution()) {
          case Execution.Reference _ ->
              throw new IllegalStateException("the reference's channels take turns");
          case Execution.Direct direct -> forwardDirect(x, direct, Rows.SORTED);
          case Execution.Packed _ -> forwardPacked(x);
          case Execution.Prepared _ -> forwardPrepared(x, preparedBias);
        });
  }

  /** The order of a convolution's output channels. */
  private enum Rows {
    AS_STORED,
    SORTED
  }

  /** The reference's operations in its order; the bias is added last. */
  private Tensor forwardReference(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor y = convolved(x);
      if (bias != null) {
        Tensor b = bias.value().to(x.dtype()).reshape(1, -1, 1, 1);
        // The form in place has no derivative.
        y = GradMode.isEnabled() ? y.add(b) : Pointwise.addInPlace(y, b);
      }
      return scope.keep(y);
    }
  }

  private Tensor convolved(Tensor x) {
    if (weight == null) {
      return resampling == null ? x : resampling.filtered(x);
    }
    Tensor w = weight.value().to(x.dtype());
    int padding = config.kernel / 2;
    if (resampling == null) {
      return Functional.conv2d(x, w, null, 1, padding, 1);
    }
    if (!config.fusedResample) {
      return Functional.conv2d(resampling.filtered(x), w, null, 1, padding, 1);
    }
    int reach = resampling.padding();
    if (config.resample == Resample.UP) {
      Tensor up = resampling.up(x, Math.max(reach - padding, 0));
      return Functional.conv2d(up, w, null, 1, Math.max(padding - reach, 0), 1);
    }
    return resampling.down(Functional.conv2d(x, w, null, 1, padding + reach, 1), 0);
  }

  private Tensor forwardDirect(Tensor x, Execution.Direct direct, Rows rows) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor y = Shapes.contiguous(resampled(x), direct.format(config.resolution));
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

  private Tensor forwardPrepared(Tensor x, @Nullable Tensor added) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor y = resampled(x).contiguous();
      if (weight == null) {
        return scope.keep(y);
      }
      Tensor w = weight.value().to(x.dtype());
      Tensor b = added == null ? null : added.to(x.dtype());
      return scope.keep(Functional.conv2d(y, w, b, 1, config.kernel / 2, 1));
    }
  }

  private Tensor forwardPacked(Tensor x) {
    try (TensorScope scope = TensorScope.open()) {
      if (upsampled != null) {
        return scope.keep(upsampled.apply(Shapes.contiguous(x, MemoryFormat.CHANNELS_LAST)));
      }
      Tensor y = Shapes.contiguous(resampled(x), MemoryFormat.CHANNELS_LAST);
      return scope.keep(weight == null ? y : Objects.requireNonNull(packed).apply(y));
    }
  }

  private Tensor resampled(Tensor x) {
    return resampling == null ? x : resampling.fast(x);
  }

  @Override
  public void close() {
    super.close();
    setPreparedBias(null);
    if (packed != null) {
      packed.close();
      packed = null;
    }
    if (upsampled != null) {
      upsampled.close();
      upsampled = null;
    }
  }
}
