// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.relaydiffusion.diffusion.train.Batching;
import org.relaydiffusion.diffusion.train.RunName;
import org.relaydiffusion.diffusion.train.TrainingData;
import org.relaydiffusion.diffusion.train.TrainingOptions;
import org.relaydiffusion.launch.download.SourceFile;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.launch.rank.Rendezvous;
import org.relaydiffusion.launch.rank.RunAttempt;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.torch.distributed.DdpOptions;

/**
 * The request of a training command.
 *
 * @param rank this process
 * @param rendezvous of the processes
 * @param attempt the start of the run
 * @param target the location of the results
 * @param task what is trained and how; its start and seed are those of a fresh run
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
    TrainingOptions task,
    Start start,
    OptionalLong seed,
    OptionalInt threads,
    boolean benchmark,
    DdpOptions ddp) {
  /**
   * The location of the results.
   *
   * @param outdir the folder of all runs, or of this one
   * @param names the parts of the name of the run folder that are given by options
   * @param own whether {@code outdir} is the run folder itself
   * @param overwrite whether an existing run in it may be deleted
   */
  public record Target(Path outdir, Names names, boolean own, boolean overwrite) {}

  /**
   * Parts of the name of a run folder.
   *
   * @param architecture the value of {@code --arch}
   * @param preconditioning the value of {@code --precond}
   * @param type the dtype
   * @param description text appended to the name; may be empty
   */
  public record Names(
      String architecture, String preconditioning, String type, String description) {}

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
    TrainingOptions fewer =
        task.toBuilder().data(data().toBuilder().without(pictures).build()).build();
    return new TrainingJob(
        rank, rendezvous, attempt, target, fewer, start, seed, threads, benchmark, ddp);
  }

  /** Returns the training data. */
  TrainingData data() {
    return task.data();
  }

  /** Returns how a step is divided. */
  Batching batching() {
    return task.batching();
  }

  /** Returns numerics, dtype and device. */
  LoadOptions running() {
    return task.running();
  }

  /**
   * Returns the options of a run.
   *
   * @param from what it starts from
   * @param drawn the seed
   */
  TrainingOptions options(TrainingOptions.Start from, long drawn) {
    return task.toBuilder().start(from).seed(drawn).build();
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
    Names names = target.names();
    return new RunName(
        dataName,
        data().labels(),
        names.architecture(),
        names.preconditioning(),
        rank.worldSize(),
        batching().batch(),
        names.type(),
        names.description());
  }
}
