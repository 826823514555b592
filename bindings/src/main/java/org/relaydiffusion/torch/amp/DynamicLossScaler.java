// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.amp;

import java.util.List;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.nn.Parameter;
import org.relaydiffusion.torch.optim.Gradients;

/**
 * A factor that grows until gradients overflow, by the rules of {@code torch.amp.GradScaler}: a
 * step with a derivative that is infinite or NaN is skipped and the factor shrinks; after {@code
 * growthInterval} good steps in a row it grows, unless it would leave float32.
 */
public final class DynamicLossScaler implements LossScaler {
  private final Options options;
  private State state;

  /**
   * The rules' constants.
   *
   * @param initialScale the first factor, finite, more than 0
   * @param growthFactor more than 1
   * @param backoffFactor between 0 and 1
   * @param growthInterval how many good steps in a row make it grow, 1 or more
   */
  public record Options(
      double initialScale, double growthFactor, double backoffFactor, int growthInterval) {
    /** PyTorch's defaults. */
    public static final Options DEFAULT = new Options(65536, 2, 0.5, 2000);

    /**
     * Checks the ranges.
     *
     * @throws OptionException when a constant is outside its range
     */
    public Options {
      if (!(initialScale > 0) || Double.isInfinite(initialScale)) {
        throw new OptionException("a loss scale is more than 0, not " + initialScale);
      }
      if (!(growthFactor > 1) || !(backoffFactor > 0 && backoffFactor < 1)) {
        throw new OptionException(
            "a loss scale grows by more than 1 and shrinks by less, not %s and %s"
                .formatted(growthFactor, backoffFactor));
      }
      if (growthInterval < 1) {
        throw new OptionException("a loss scale grows after 1 step or more, not " + growthInterval);
      }
    }
  }

  /** A scaler at its first factor. */
  public DynamicLossScaler(Options options) {
    TorchException.requireNonNull(options, "options");
    this.options = options;
    this.state = new State(options.initialScale(), 0);
  }

  @Override
  public double scale() {
    return state.scale();
  }

  /** Divides the gradients by the factor; false when one of them is not finite. */
  @Override
  public boolean unscale(List<Parameter> parameters) {
    TorchException.requireNoNulls(parameters, "parameters");
    boolean finite = Gradients.unscale(parameters, 1 / state.scale());
    state = finite ? afterGoodStep() : new State(shrunk(), 0);
    return finite;
  }

  private State afterGoodStep() {
    int good = state.growthTracker() + 1;
    if (good < options.growthInterval()) {
      return new State(state.scale(), good);
    }
    float grown = (float) (state.scale() * options.growthFactor());
    return new State(Float.isFinite(grown) ? grown : state.scale(), 0);
  }

  /** Kept above 0, from where no factor leads back. */
  private double shrunk() {
    return Math.max((float) (state.scale() * options.backoffFactor()), Float.MIN_NORMAL);
  }

  @Override
  public State state() {
    return state;
  }

  @Override
  public void restore(State saved) {
    TorchException.requireNonNull(saved, "saved");
    if (!(saved.scale() > 0) || Double.isInfinite(saved.scale()) || saved.growthTracker() < 0) {
      throw new OptionException(
          "a loss scaler cannot have the scale %s after %s steps"
              .formatted(saved.scale(), saved.growthTracker()));
    }
    state = saved;
  }
}
