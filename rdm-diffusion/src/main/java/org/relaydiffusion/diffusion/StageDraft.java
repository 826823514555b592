// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.guidance.GuidanceInterval;
import org.relaydiffusion.diffusion.guidance.GuidanceOptions;

/** Options of a stage that are being changed one by one; values are checked together at the end. */
public final class StageDraft {
  private final EdmOptions.@Nullable Builder edm;
  private final RelayOptions.@Nullable Builder relay;
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
      }
      case RelayOptions options -> {
        edm = null;
        relay = options.toBuilder();
        churn = options.churn().orElse(Churn.OFF);
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

  void churn(UnaryOperator<Churn> change) {
    churn = change.apply(churn);
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
    SolverOptions solver = edm != null ? edm.build() : relay().build();
    return new StageOptions(solver, new GuidanceOptions(scale, interval));
  }
}
