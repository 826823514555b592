// SPDX-License-Identifier: Apache-2.0
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
import org.relaydiffusion.torch.CudaPrecision;
import org.relaydiffusion.torch.distributed.DdpOptions;
import org.relaydiffusion.torch.optim.AdamOptions;

/**
 * The request of a training command.
 *
 * @param rank this process
 * @param rendezvous of the processes
 * @param attempt the start of the run
 * @param target the location of the results
 * @param data the training data
 * @param network the network to train
 * @param loss the loss
 * @param augment the augmentation
 * @param schedule duration, learning rate and EMA
 * @param batching how a step is divided
 * @param scaling the loss scale
 * @param running numerics, dtype and device
 * @param tf32 whether CUDA may use TensorFloat-32, if chosen
 * @param typeName the dtype's part of the folder name
 * @param saving the files to write
 * @param nonFiniteLoss what happens when a loss is infinite or NaN
 * @param start what the run starts from
 * @param seed the seed, if given
 * @param threads number of threads of an operator, if given
 * @param benchmark whether cuDNN benchmarks its kernels
 * @param ddp how several processes average gradients
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
    Optional<CudaPrecision.Tf32> tf32,
    String typeName,
    TrainingOptions.Saving saving,
    TrainingOptions.NonFiniteLoss nonFiniteLoss,
    Start start,
    OptionalLong seed,
    OptionalInt threads,
    boolean benchmark,
    DdpOptions ddp) {
  /**
   * The location of the results.
   *
   * @param outdir the folder of all runs, or of this one
   * @param description text appended to the name of the run folder; may be empty
   * @param own whether {@code outdir} is the run folder itself
   * @param overwrite whether an existing run in it may be deleted
   */
  public record Target(Path outdir, String description, boolean own, boolean overwrite) {}

  /**
   * The network to train.
   *
   * @param preset the architecture
   * @param changes to the architecture
   * @param className the preconditioner
   * @param preconditioning the value of the option
   * @param halfPrecision whether checkpoints request float16 on CUDA
   */
  public record Network(
      NetworkPreset preset,
      NetworkPreset.Changes changes,
      String className,
      String preconditioning,
      boolean halfPrecision) {}

  /** What a run starts from, before it is known whether it exists. */
  public sealed interface Start {
    /** Random initialization. */
    record Fresh() implements Start {}

    /** The weights of a network. */
    record Transfer(SourceFile checkpoint) implements Start {}

    /** A training state. */
    record Resume(Path state) implements Start {}

    /** The newest state of a matching run in the output folder, if there is one. */
    record Latest() implements Start {}
  }

  /** Returns this job without some images of its data. */
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
        tf32,
        typeName,
        saving,
        nonFiniteLoss,
        start,
        seed,
        threads,
        benchmark,
        ddp);
  }

  /**
   * Returns the options of a run.
   *
   * @param from what it starts from
   * @param drawn the seed
   */
  TrainingOptions options(TrainingOptions.Start from, long drawn, int resolution) {
    Map<String, @Nullable Object> kwargs = network.preset().kwargs(resolution, network.changes());
    if (network.halfPrecision()) {
      // The requested value is recorded, even if the CPU computes in float32.
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
        tf32,
        saving,
        nonFiniteLoss,
        from,
        drawn);
  }

  /**
   * Returns what the run starts from.
   *
   * @param state the state that was found, if any
   */
  TrainingOptions.Start from(Optional<Path> state) {
    if (state.isPresent()) {
      return new TrainingOptions.Start.Resume(state.get());
    }
    return start instanceof Start.Transfer(SourceFile checkpoint)
        ? new TrainingOptions.Start.Transfer(checkpoint.path())
        : new TrainingOptions.Start.Fresh();
  }

  /** Returns the name of the run folder, without its number. */
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
