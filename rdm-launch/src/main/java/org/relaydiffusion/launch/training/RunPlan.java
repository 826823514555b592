// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.diffusion.train.ResolvedOptions;
import org.relaydiffusion.diffusion.train.RunDirectory;
import org.relaydiffusion.diffusion.train.RunIdentity;
import org.relaydiffusion.diffusion.train.StateFiles;
import org.relaydiffusion.diffusion.train.StepThreads;
import org.relaydiffusion.diffusion.train.StoredState;
import org.relaydiffusion.diffusion.train.TrainingOptions;
import org.relaydiffusion.diffusion.train.TrainingResult;
import org.relaydiffusion.diffusion.train.TransferCheck;
import org.relaydiffusion.launch.download.SourceFile;
import org.relaydiffusion.model.ModelConfig;

/**
 * The location of a run and its initial state. Making a plan changes nothing; all checks are
 * performed then.
 *
 * @param place the location
 * @param state the state that it resumes from
 * @param options of the run
 * @param resolved the options under the reference's names
 * @param threads the number of threads for small steps, if not specified by the user
 * @param identity of the run, by which it finds its folder after a restart
 * @param said messages about the choice, one line each
 */
record RunPlan(
    RunPlace place,
    Optional<StoredState> state,
    TrainingOptions options,
    Map<String, @Nullable Object> resolved,
    OptionalInt threads,
    RunIdentity identity,
    List<String> said) {
  /**
   * Makes the plan of a job; reads the directory of the data, and all of the state that is resumed.
   *
   * @throws org.relaydiffusion.RdmException if the network is invalid or does not match the data,
   *     the state cannot be read or is of another network, or the folder may not be used
   */
  static RunPlan of(TrainingJob job) {
    int processes = job.rank().worldSize();
    job.batching().check(processes);
    try (ImageFolderDataset dataset = TrainingProcess.open(job)) {
      requireLabels(job, dataset);
      TrainingOptions asked = job.options(new TrainingOptions.Start.Fresh(), job.seed().orElse(0));
      Map<String, @Nullable Object> task = ResolvedOptions.of(asked, dataset, processes);
      RunIdentity identity = TaskSum.identity(job, task);
      FolderChoice choice = FolderChoice.of(job, identity, job.runName(dataset.name()));
      TrainingOptions options =
          job.options(job.from(choice.state().map(StoredState::file)), seed(job, choice));
      Map<String, @Nullable Object> resolved = ResolvedOptions.of(options, dataset, processes);
      if (options.start() instanceof TrainingOptions.Start.Transfer
          && job.start() instanceof TrainingJob.Start.Transfer(SourceFile checkpoint)) {
        // The original location, not that of the download.
        resolved.put("resume_pkl", checkpoint.toString());
      }
      ModelConfig network = ResolvedOptions.network(options, dataset);
      choice.state().ifPresent(state -> state.requireNetwork(resolved, network));
      if (options.start() instanceof TrainingOptions.Start.Transfer(Path checkpoint)) {
        TransferCheck.require(checkpoint, network);
      }
      return new RunPlan(
          choice.place(),
          choice.state(),
          options,
          resolved,
          StepThreads.of(options, dataset, processes),
          identity,
          Stream.concat(choice.said().stream(), said(job, dataset)).toList());
    }
  }

  private static void requireLabels(TrainingJob job, ImageFolderDataset dataset) {
    if (job.data().labels() && !dataset.hasLabels()) {
      throw new OptionException(
          ("--cond=1 requires labels, but %s has none in a dataset.json ('rdm dataset' creates it"
                  + " from"
                  + " folders of classes)")
              .formatted(Printable.of(job.data().path())));
    }
  }

  /** Returns messages about the data. */
  private static Stream<String> said(TrainingJob job, ImageFolderDataset dataset) {
    Path data = job.data().path();
    String leftOut = dataset.leftOut().text();
    int bad = job.data().without().size();
    return Stream.of(
            dataset.hasUnusedLabels()
                ? data + " has labels, which are not used without --cond=1"
                : "",
            leftOut.isEmpty() ? "" : "%s: %s".formatted(data, leftOut),
            bad == 0 ? "" : "%s: skipped %s images that cannot be used".formatted(data, bad))
        .filter(line -> !line.isEmpty());
  }

  private static long seed(TrainingJob job, FolderChoice choice) {
    OptionalLong stored = choice.state().map(StoredState::seed).orElse(OptionalLong.empty());
    return job.seed().orElseGet(() -> stored.orElseGet(TrainingOptions::drawSeed));
  }

  /** Returns the result of a run that has nothing left to do; empty for any other. */
  Optional<TrainingResult> finished() {
    long total = options.schedule().totalImages();
    return state
        .filter(s -> s.images() >= total)
        .filter(s -> !(place instanceof RunPlace.Given given) || hasSnapshot(given.folder(), s))
        .map(s ->
            new TrainingResult(
                s.images(),
                TrainingResult.End.FINISHED,
                Optional.of(s.file()),
                snapshots(folder(s), s).filter(Files::isRegularFile).findFirst(),
                0,
                Double.NaN));
  }

  /** Writes the last snapshot of a run that was killed after its last state. */
  private boolean hasSnapshot(Path folder, StoredState at) {
    return options.saving().snapshotTicks().isEmpty()
        || snapshots(folder, at).allMatch(Files::isRegularFile);
  }

  private Stream<Path> snapshots(Path folder, StoredState at) {
    return (switch (options.saving().snapshotFormat()) {
          case SAFETENSORS -> Stream.of("safetensors");
          case PKL -> Stream.of("pkl");
          case BOTH -> Stream.of("safetensors", "pkl");
        })
        .map(extension -> folder.resolve(RunDirectory.snapshotName(at.images(), extension)));
  }

  private static Path folder(StoredState state) {
    return Objects.requireNonNull(state.file().toAbsolutePath().normalize().getParent());
  }

  /**
   * Takes ownership of the folder and prepares it: files of other runs are deleted or set aside.
   *
   * @param listener receives messages about the choice, which also go to the log of the run
   * @return the folder, which the caller closes; empty if another process has owned the folder
   *     since the plan was made, so that a new plan is needed
   */
  Optional<RunDirectory> take(Consumer<String> listener) {
    Optional<RunDirectory> taken = place.take();
    if (taken.isEmpty()) {
      return taken;
    }
    RunDirectory directory = taken.get();
    try {
      if (!place.isCurrent()) {
        directory.close();
        return Optional.empty();
      }
      if (place instanceof RunPlace.Given given && given.use() == RunPlace.Use.OVERWRITE) {
        directory.clear();
      }
      directory.mark(identity);
      Consumer<String> say =
          line -> {
            directory.log(line);
            listener.accept(line);
          };
      said.forEach(say);
      directory.doubt().ifPresent(say);
      Optional<Path> from =
          state.map(StoredState::file).filter(s -> FolderChoice.isIn(s, directory.path()));
      StateFiles.setAsideLater(directory.path(), from).forEach(say);
      return Optional.of(directory);
    } catch (RuntimeException e) {
      directory.close();
      throw e;
    }
  }
}
