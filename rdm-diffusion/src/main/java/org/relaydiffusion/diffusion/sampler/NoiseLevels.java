// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import java.util.Arrays;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.SolverOptions;
import org.relaydiffusion.diffusion.schedule.AlignYourSteps;
import org.relaydiffusion.diffusion.schedule.KarrasSchedule;
import org.relaydiffusion.diffusion.schedule.LevelSchedule;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * The noise levels between which a solver steps: falling, and ending with 0; those of a network
 * that knows only certain levels may be equal to their neighbours. Immutable.
 */
public final class NoiseLevels {
  private final double[] levels;

  private NoiseLevels(double[] levels) {
    this.levels = levels;
  }

  /**
   * Creates the given levels.
   *
   * @param levels at least two, falling, the last one 0
   * @throws IllegalArgumentException if they are not
   */
  public static NoiseLevels of(double... levels) {
    boolean falls = levels.length >= 2 && levels[levels.length - 1] == 0;
    for (int i = 1; falls && i < levels.length; i++) {
      falls = levels[i - 1] > levels[i];
    }
    if (!falls) {
      throw new IllegalArgumentException(
          "noise levels must fall and end with 0, but are " + Arrays.toString(levels));
    }
    return new NoiseLevels(levels.clone());
  }

  /**
   * Returns the levels of a schedule, clipped to the range of a network and rounded to the levels
   * that it knows: {@code num_steps} of them and the final 0.
   *
   * @throws OptionException if the range is empty
   */
  public static NoiseLevels of(SolverOptions options, Denoiser net) {
    double low = Math.max(options.sigmaMin(), net.sigmaMin());
    double high = Math.min(options.sigmaMax(), net.sigmaMax());
    int n = options.numSteps();
    KarrasSchedule karras = new KarrasSchedule(low, high, options.rho(), n);
    double[] levels =
        switch (options.schedule()) {
          case LevelSchedule.Karras() -> powers(karras.roots(), options.rho());
          case LevelSchedule.UniformLambda uniform -> uniform.steps(low, high, n);
          case AlignYourSteps listed -> listed.steps(low, high, n);
        };
    double[] all = Arrays.copyOf(levels, n + 1);
    for (int i = 0; i < n; i++) {
      all[i] = net.roundSigma(all[i]);
    }
    return new NoiseLevels(all);
  }

  /** Computes the power with LibTorch, whose bits sometimes differ from Java's. */
  private static double[] powers(double[] roots, double rho) {
    if (rho == 2) {
      return Arrays.stream(roots).map(r -> r * r).toArray();
    }
    if (rho == 3) {
      return Arrays.stream(roots).map(r -> r * r * r).toArray();
    }
    try (var _ = TensorScope.open()) {
      Tensor exponent = Torch.scalar(rho);
      return Pointwise.pow(Torch.tensor(roots, roots.length), exponent).toDoubles();
    }
  }

  /** Returns the levels below {@code limit}, with the final 0. */
  NoiseLevels below(double limit) {
    return new NoiseLevels(Arrays.stream(levels).filter(t -> t < limit).toArray());
  }

  /** Returns the number of steps: that of the levels without the final 0. */
  public int steps() {
    return levels.length - 1;
  }

  /**
   * Returns the level at which step {@code i} begins; that of number {@link #steps()} is 0.
   *
   * @param i from 0
   */
  public double at(int i) {
    return levels[i];
  }

  /** Returns the levels, with the final 0. */
  public double[] toArray() {
    return levels.clone();
  }
}
