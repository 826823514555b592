// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.train.RunDirectory;
import org.relaydiffusion.diffusion.train.RunFolders;
import org.relaydiffusion.diffusion.train.RunIdentity;
import org.relaydiffusion.diffusion.train.RunName;
import org.relaydiffusion.diffusion.train.StateFiles;
import org.relaydiffusion.diffusion.train.StateSearch;
import org.relaydiffusion.diffusion.train.StoredState;
import org.relaydiffusion.launch.training.RunPlace.IfTaken;

/**
 * The folder of a run, and the state that it resumes from.
 *
 * @param place the folder
 * @param state the state; empty for a new run
 * @param said the reason, and damaged states, one line each
 */
record FolderChoice(RunPlace place, Optional<StoredState> state, List<String> said) {
  /**
   * Chooses the folder and the state.
   *
   * @param name of the folder of the run if it needs a new one
   * @throws RdmException if the folder contains another run, or the state cannot be read
   */
  static FolderChoice of(TrainingJob job, RunIdentity identity, RunName name) {
    return new Chooser(job, identity, name).choose();
  }

  private record Chooser(TrainingJob job, RunIdentity identity, RunName name, List<String> said) {
    Chooser(TrainingJob job, RunIdentity identity, RunName name) {
      this(job, identity, name, new ArrayList<>());
    }

    FolderChoice choose() {
      List<Path> own = job.attempt().isRestart() ? earlier() : List.of();
      if (own.size() == 1) {
        return again(own.getFirst(), IfTaken.WAIT);
      }
      if (!own.isEmpty()) {
        return oneOf(own);
      }
      return job.target().own() ? ownFolder() : numbered();
    }

    /**
     * Returns the folders that this run, or another one of its job, created before it was
     * restarted.
     */
    private List<Path> earlier() {
      // Within one start of a job, there may be other launches for the same task; their folders do
      // not belong to this run. Only a job restarted by the cluster uses its earlier folders.
      RunIdentity sought = job.attempt().requeues() > 0 ? identity : identity.ofTheLaunchAlone();
      if (sought.launchId().isEmpty() && sought.jobId().isEmpty()) {
        said.add(
            "restarted by a launcher without a run id (torchrun: --rdzv_id=NAME): its"
                + " earlier folder is unknown");
        return List.of();
      }
      return RunFolders.of(job.target().outdir(), sought);
    }

    /** Several runs of one job may be for the same task: returns any of them that is not in use. */
    private FolderChoice oneOf(List<Path> folders) {
      return folders.stream()
          .filter(FolderChoice::isFree)
          .findFirst()
          // The others choose among the same folders at the same time.
          .map(free -> again(free, IfTaken.CHOOSE_AGAIN))
          .orElseGet(() -> again(folders.getFirst(), IfTaken.WAIT));
    }

    private FolderChoice again(Path folder, IfTaken ifTaken) {
      Optional<StoredState> state = newest(folder);
      if (state.isPresent()) {
        said.add(
            "resuming from %s: the newest state of this run, which was restarted"
                .formatted(state.get().file()));
      } else {
        state = named();
        if (state.isEmpty() && !StateFiles.in(folder).isEmpty()) {
          throw noneIsReadable(folder);
        }
      }
      return new FolderChoice(RunPlace.given(folder, RunPlace.Use.CONTINUE, ifTaken), state, said);
    }

    private FileException noneIsReadable(Path folder) {
      return new FileException(
          folder,
          "contains states, but none that can be read (%s); choose another --outdir, or --overwrite"
              .formatted(String.join("; ", said)));
    }

    private FolderChoice numbered() {
      Path outdir = job.target().outdir();
      if (job.start() instanceof TrainingJob.Start.Latest) {
        for (Path folder : RunFolders.of(outdir, name)) {
          Optional<StoredState> state = newest(folder);
          if (state.isPresent()) {
            said.add(
                "resuming from %s: the newest state of the newest run of %s in %s"
                    .formatted(state.get().file(), name.description(), outdir));
            return given(folder, RunPlace.Use.CONTINUE, state);
          }
        }
        said.add(
            "no state of a run of %s in %s: starting a new run"
                .formatted(name.description(), outdir));
      }
      return new FolderChoice(new RunPlace.New(outdir, name), named(), said);
    }

    private FolderChoice ownFolder() {
      Path folder = job.target().outdir();
      if (StateFiles.in(folder).isEmpty()) {
        return given(folder, RunPlace.Use.CONTINUE, named());
      }
      // The content may be the work of this run, which its launcher has restarted.
      if (job.target().overwrite() && !job.attempt().isRestart()) {
        return given(folder, RunPlace.Use.OVERWRITE, Optional.empty());
      }
      if (job.start() instanceof TrainingJob.Start.Latest) {
        Optional<StoredState> state = newest(folder);
        if (state.isPresent()) {
          said.add(
              "resuming from %s: the newest state in %s".formatted(state.get().file(), folder));
          return given(folder, RunPlace.Use.CONTINUE, state);
        }
        throw noneIsReadable(folder);
      }
      Optional<StoredState> state = named();
      if (state.isPresent() && isIn(state.get().file(), folder)) {
        return given(folder, RunPlace.Use.CONTINUE, state);
      }
      throw new FileException(
          folder,
          ("contains the states of a run (%s): resume it with --resume=latest, choose another"
                      + " --outdir,")
                  .formatted(StateFiles.in(folder).getFirst().getFileName())
              + " or use --overwrite");
    }

    private FolderChoice given(Path folder, RunPlace.Use use, Optional<StoredState> state) {
      IfTaken ifTaken = job.attempt().isRestart() ? IfTaken.WAIT : IfTaken.REFUSE;
      return new FolderChoice(RunPlace.given(folder, use, ifTaken), state, said);
    }

    /** Returns the state given on the command line. */
    private Optional<StoredState> named() {
      return job.start() instanceof TrainingJob.Start.Resume(Path file)
          ? Optional.of(StoredState.read(file))
          : Optional.empty();
    }

    private Optional<StoredState> newest(Path folder) {
      StateSearch search = StateSearch.in(folder);
      search.damaged().forEach(line -> said.add("skipping a damaged state: " + line));
      return search.state();
    }
  }

  private static boolean isFree(Path folder) {
    try {
      RunDirectory.requireFree(folder);
      return true;
    } catch (CancelledException e) {
      throw e;
    } catch (RdmException e) {
      return false;
    }
  }

  /** Returns whether a file is directly in a folder, after resolving symbolic links. */
  static boolean isIn(Path file, Path folder) {
    try {
      Path parent = file.toAbsolutePath().getParent();
      return parent != null && Files.isSameFile(parent, folder);
    } catch (IOException e) {
      return false;
    }
  }
}
