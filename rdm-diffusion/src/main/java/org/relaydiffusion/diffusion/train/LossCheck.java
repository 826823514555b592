// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.train.TrainingOptions.NonFiniteLoss;
import org.relaydiffusion.torch.Comparison;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * Detects losses that are not finite. A step whose gradients overflow because of the loss scale has
 * a finite loss, and is handled by the loss scaler.
 */
final class LossCheck {
  private final World world;
  private final boolean stops;

  LossCheck(World world, NonFiniteLoss reaction) {
    this.world = world;
    this.stops = reaction == NonFiniteLoss.STOP;
  }

  /**
   * Returns one line about the losses of all processes that are not finite.
   *
   * @param rounds number of losses, one per round and process
   * @param nonFinite number of these that are not finite
   */
  static Optional<String> complaint(double rounds, double nonFinite) {
    return nonFinite == 0
        ? Optional.empty()
        : Optional.of(
            "%s of %s losses since the last status line were infinite or NaN"
                .formatted((long) nonFinite, (long) rounds));
  }

  /**
   * If the run is to stop on such losses, ensures that no state or snapshot is captured after one.
   * Every process calls this before files are captured, after losses were counted. Existing states
   * were checked in the same way, so the last one is good.
   *
   * @param complaint about the losses of all processes
   * @param lastState returns the last complete state, in the first process; only called for the
   *     message
   * @throws RdmException in every process, if a loss or a weight is not finite
   */
  void beforeSaving(
      TrainingRun run, Optional<String> complaint, Supplier<Optional<Path>> lastState) {
    if (!stops) {
      return;
    }
    String what = complaint.orElse(null);
    if (what == null && world.any(!weightsAreFinite(run))) {
      what = "the weights of the network have become infinite or NaN";
    }
    if (what != null) {
      String state = world.fromFirst(lastState.get().map(Path::toString).orElse(null));
      throw new RdmException(
          "%s (--stop-on-nan); no state is saved, %s"
              .formatted(
                  what,
                  state == null
                      ? "and this run has no earlier state"
                      : "the last good state is " + state));
    }
  }

  private static boolean weightsAreFinite(TrainingRun run) {
    return areFinite(run.network().parameters()) && areFinite(run.average().parameters());
  }

  private static boolean areFinite(List<Parameter> parameters) {
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      return parameters.stream()
          .map(p -> Reduction.all(Comparison.isFinite(p.value())).to(DType.FLOAT32))
          .allMatch(all -> all.item() != 0);
    }
  }
}
