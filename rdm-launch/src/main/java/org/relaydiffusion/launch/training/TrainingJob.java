package org.relaydiffusion.launch.training;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.augment.AugmentOptions;
import org.relaydiffusion.diffusion.loss.Loss;
import org.relaydiffusion.diffusion.train.NetworkPreset;
import org.relaydiffusion.diffusion.train.RunName;
import org.relaydiffusion.diffusion.train.TrainingOptions;
import org.relaydiffusion.diffusion.train.TrainingSchedule;
import org.relaydiffusion.launch.download.SourceFile;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.launch.rank.Rendezvous;
import org.relaydiffusion.launch.rank.RunAttempt;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.torch.optim.AdamOptions;

/**
 * What a command line asks to be trained.
 *
 * @param rank this process
 * @param rendezvous where the processes meet
 * @param attempt which start of the run this is
 * @param target where the results go
 * @param data what is trained on
 * @param network what is trained
 * @param loss how wrong it is
 * @param augment how images are changed first
 * @param schedule length, learning rate and moving average
 * @param batching how a step is divided
 * @param scaling the loss's factor
 * @param running numerics, type and device
 * @param typeName the type's part of the folder's name
 * @param saving which files are written
 * @param nonFiniteLoss what happens when a loss is infinite or NaN
 * @param start what it begins with
 * @param seed if one was asked for
 * @param threads for one operation, if they were asked for
 * @param benchmark whether cuDNN tries its kernels
 */
public record TrainingJob(
    Rank rank,
    Rendezvous rendezvous,
    RunAttempt attempt,
    Target target,
    TrainingOptions.Data data,
    Network network,
    Loss loss,
    Optional<AugmentOptions> augment,
    TrainingSchedule schedule,
    TrainingOptions.Batching batching,
    TrainingOptions.LossScaling scaling,
    LoadOptions running,
    String typeName,
    TrainingOptions.Saving saving,
    TrainingOptions.NonFiniteLoss nonFiniteLoss,
    Start start,
    OptionalLong seed,
    OptionalInt threads,
    boolean benchmark) {
  /**
   * Where the results go.
   *
   * @param outdir the folder of all runs, or of this one
   * @param description what is added to the run folder's name; may be empty
   * @param own whether {@code outdir} is the run's own folder
   * @param overwrite whether a run that is in it may be deleted
   */
  public record Target(Path outdir, String description, boolean own, boolean overwrite) {}

  /**
   * What is trained.
   *
   * @param preset the architecture
   * @param changes to it
   * @param className the preconditioner
   * @param preconditioning what the option called it
   * @param halfPrecision whether its checkpoints ask for float16 on CUDA
   */
  public record Network(
      NetworkPreset preset,
      NetworkPreset.Changes changes,
      String className,
      String preconditioning,
      boolean halfPrecision) {}

  /** What a run begins with, before it is known whether there is such a thing. */
  public sealed interface Start {
    /** The initialisation. */
    record Fresh() implements Start {}

    /** A network's weights. */
    record Transfer(SourceFile checkpoint) implements Start {}

    /** A state. */
    record Resume(Path state) implements Start {}

    /** The newest state of the same description in the output folder, if there is one. */
    record Latest() implements Start {}
  }

  /** This without some pictures of its data. */
  TrainingJob without(Set<String> pictures) {
    return new TrainingJob(
        rank,
        rendezvous,
        attempt,
        target,
        data.without(pictures),
        network,
        loss,
        augment,
        schedule,
        batching,
        scaling,
        running,
        typeName,
        saving,
        nonFiniteLoss,
        start,
        seed,
        threads,
        benchmark);
  }

  /**
   * The options of a run.
   *
   * @param from what it begins with
   * @param drawn the seed
   */
  TrainingOptions options(TrainingOptions.Start from, long drawn, int resolution) {
    Map<String, @Nullable Object> kwargs = network.preset().kwargs(resolution, network.changes());
    if (network.halfPrecision()) {
      // What was asked for is recorded, also where the CPU computes in float32.
      kwargs.put("use_fp16", true);
    }
    return new TrainingOptions(
        data,
        new TrainingOptions.Network(network.className(), kwargs),
        loss,
        augment,
        AdamOptions.DEFAULT,
        schedule,
        batching,
        scaling,
        running,
        saving,
        nonFiniteLoss,
        from,
        drawn);
  }

  /**
   * What the run begins with.
   *
   * @param state that was found, if there is one
   */
  TrainingOptions.Start from(Optional<Path> state) {
    if (state.isPresent()) {
      return new TrainingOptions.Start.Resume(state.get());
    }
    return start instanceof Start.Transfer(SourceFile checkpoint)
        ? new TrainingOptions.Start.Transfer(checkpoint.path())
        : new TrainingOptions.Start.Fresh();
  }

  /** The name of the run's folder, without its number. */
  RunName runName(String dataName) {
    return new RunName(
        dataName,
        data.labels(),
        network.preset().text(),
        network.preconditioning(),
        rank.worldSize(),
        batching.batch(),
        typeName,
        target.description());
  }
}
