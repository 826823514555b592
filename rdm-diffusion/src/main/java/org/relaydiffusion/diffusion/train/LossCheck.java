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
 * Looks for losses that are not finite. A step whose gradients overflow under a scaled loss has a
 * finite loss, and is the loss scaler's business.
 */
final class LossCheck {
  private final World world;
  private final boolean stops;

  LossCheck(World world, NonFiniteLoss reaction) {
    this.world = world;
    this.stops = reaction == NonFiniteLoss.STOP;
  }

  /**
   * What is wrong with the losses of all processes, in one line.
   *
   * @param rounds how many losses there are, one of each round of each process
   * @param nonFinite how many of these are not finite
   */
  static Optional<String> complaint(double rounds, double nonFinite) {
    return nonFinite == 0
        ? Optional.empty()
        : Optional.of(
            "%s of %s losses since the last status line were infinite or NaN"
                .formatted((long) nonFinite, (long) rounds));
  }

  /**
   * Where the run is to stop, makes sure that no state or snapshot is made of what a loss has
   * spoiled. Every process calls this before files are captured, after losses were counted; a state
   * that is there already was checked in the same way, so the last one is good.
   *
   * @param complaint the losses' of all processes
   * @param lastState the last one that is whole, in the first process; asked for only to be named
   * @throws RdmException in every process, when a loss or a weight is not finite
   */
  void beforeSaving(
      TrainingRun run, Optional<String> complaint, Supplier<Optional<Path>> lastState) {
    if (!stops) {
      return;
    }
    String what = complaint.orElse(null);
    if (what == null && world.any(!weightsAreFinite(run))) {
      what = "the network's weights have become infinite or NaN";
    }
    if (what != null) {
      String state = world.fromFirst(lastState.get().map(Path::toString).orElse(null));
      throw new RdmException(
          "%s (--stop-on-nan); nothing of this is saved, %s"
              .formatted(
                  what,
                  state == null
                      ? "and there is no earlier state of this run"
                      : "the last state from before is " + state));
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
