// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * c_skip = 1, c_out = -s, c_in = 1 / sqrt(s^2 + 1), c_noise = M - 1 - j, where j is the index of
 * the nearest of M + 1 known levels u. The U-Net has twice the image's channels; the second half
 * (its variances) is not used.
 */
public final class IddpmPreconditioner extends Preconditioner {
  private final Parameter u;
  private final int steps;
  private volatile @Nullable HostLevels hostLevels;

  /**
   * The levels, read back once from a device: noise levels are rounded between the steps of a
   * sampler, which must not wait for it.
   *
   * @param of the tensor that was read
   */
  private record HostLevels(Tensor of, float[] values) {}

  IddpmPreconditioner(ModelConfig config) {
    super(config);
    Settings s = config.settings();
    steps = s.whole("M");
    u = buffer("u", (_, _) -> levels(steps, s.real("C_1"), s.real("C_2")), steps + 1L);
  }

  /**
   * u_M = 0, u_{j-1} = sqrt((u_j^2 + 1) / max(a(j-1) / a(j), C_1) - 1), a(j) = sin^2(pi j / (2 M
   * (C_2 + 1))).
   */
  private static Tensor levels(int m, double c1, double c2) {
    float[] u = new float[m + 1];
    for (int j = m; j > 0; j--) {
      double ratio = Math.max(alphaBar(j - 1, m, c2) / alphaBar(j, m, c2), c1);
      float grown = (float) ((double) (u[j] * u[j] + 1) / ratio);
      u[j - 1] = (float) Math.sqrt(grown - 1f);
    }
    return Torch.tensor(u, m + 1);
  }

  private static double alphaBar(int j, int m, double c2) {
    double sin = Math.sin(0.5 * Math.PI * j / m / (c2 + 1));
    return sin * sin;
  }

  @Override
  protected Coefficients coefficients(Tensor sigma) {
    Tensor index = index(sigma);
    return new Coefficients(
        null,
        Pointwise.neg(sigma),
        Pointwise.reciprocal(Pointwise.sqrt(Pointwise.square(sigma).add(1))),
        Pointwise.neg(index.to(DType.FLOAT32)).add(steps - 1.0).reshape(-1));
  }

  /**
   * The index (int64, flat) of the known level nearest to each sigma. Distances are the reference's
   * own: matrix products in float32, whose rounding decides between close neighbours.
   */
  public Tensor index(Tensor sigma) {
    return whileOpen(() -> nearest(sigma, u.value()));
  }

  private static Tensor nearest(Tensor sigma, Tensor levels) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor s = sigma.to(levels.device()).to(DType.FLOAT32).reshape(1, -1, 1);
      Tensor distances = LinearAlgebra.cdist(s, levels.reshape(1, -1, 1));
      return scope.keep(Reduction.argmin(distances, 2, Reduction.KeepDim.NO).reshape(-1));
    }
  }

  /** Computed on the CPU, whatever the network's device, so that it is the same everywhere. */
  @Override
  public double roundSigma(double sigma) {
    return whileOpen(() -> {
      try (TensorScope _ = TensorScope.open()) {
        Tensor levels = levelsOnHost();
        return Shapes.indexSelect(levels, 0, nearest(Torch.scalar(sigma), levels)).item();
      }
    });
  }

  private Tensor levelsOnHost() {
    Tensor levels = u.value();
    if (levels.device().equals(Device.CPU)) {
      return levels;
    }
    HostLevels known = hostLevels;
    if (known == null || known.of != levels) {
      known = new HostLevels(levels, levels.toFloats());
      hostLevels = known;
    }
    return Torch.tensor(known.values);
  }

  @Override
  public double sigmaMin() {
    return level(steps - 1);
  }

  @Override
  public double sigmaMax() {
    return level(0);
  }

  private double level(int j) {
    return whileOpen(() -> {
      try (TensorScope _ = TensorScope.open()) {
        return Shapes.select(levelsOnHost(), 0, j).item();
      }
    });
  }
}
