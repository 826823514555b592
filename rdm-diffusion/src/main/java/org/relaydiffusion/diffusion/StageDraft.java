// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.guidance.GuidanceInterval;
import org.relaydiffusion.diffusion.guidance.GuidanceOptions;

/** Options of a stage that are being changed one by one; values are checked together at the end. */
public final class StageDraft {
  private final EdmOptions.@Nullable Builder edm;
  private final RelayOptions.@Nullable Builder relay;
  private final boolean hadChurn;
  private boolean isChanged;
  private boolean hasAmount;
  private Churn churn;
  private double scale;
  private GuidanceInterval interval;

  /** Starts from options. */
  public StageDraft(StageOptions from) {
    switch (from.solver()) {
      case EdmOptions options -> {
        edm = options.toBuilder();
        relay = null;
        churn = options.churn();
        hadChurn = true;
      }
      case RelayOptions options -> {
        edm = null;
        relay = options.toBuilder();
        churn = options.churn().orElse(Churn.OFF);
        hadChurn = options.churn().isPresent();
      }
    }
    scale = from.guidance().scale();
    interval = from.guidance().interval();
  }

  EdmOptions.Builder edm() {
    if (edm == null) {
      throw new IllegalStateException("the stage starts from images");
    }
    return edm;
  }

  RelayOptions.Builder relay() {
    if (relay == null) {
      throw new IllegalStateException("the stage starts from noise");
    }
    return relay;
  }

  /**
   * Changes the churn.
   *
   * @param isAmount whether its amount is set, without which a relay that has none gets none
   */
  void churn(boolean isAmount, UnaryOperator<Churn> change) {
    churn = change.apply(churn);
    isChanged = true;
    hasAmount |= isAmount;
    if (edm != null) {
      edm.churn(churn);
    } else {
      relay().churn(churn);
    }
  }

  void scale(double value) {
    scale = value;
  }

  void interval(GuidanceInterval value) {
    interval = value;
  }

  /**
   * Returns the options.
   *
   * @throws org.relaydiffusion.OptionException naming the value that is out of range
   */
  public StageOptions build() {
    if (isChanged && !hadChurn && !hasAmount) {
      throw new OptionException(
          "S_churn must be given with S_min, S_max or S_noise of this stage, which has none");
    }
    SolverOptions solver = edm != null ? edm.build() : relay().build();
    return new StageOptions(solver, new GuidanceOptions(scale, interval));
  }
}
