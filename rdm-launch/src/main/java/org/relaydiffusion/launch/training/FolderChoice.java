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
 * The folder that a run uses, and the state that it resumes from.
 *
 * @param place the folder
 * @param state the state; empty where it begins anew
 * @param said why, and which states are damaged, a line each
 */
record FolderChoice(RunPlace place, Optional<StoredState> state, List<String> said) {
  /**
   * Chooses.
   *
   * @param name of the folder that the run gets if it needs a new one
   * @throws RdmException when the folder holds another run, or the state cannot be read
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

    /** The folders that this run, or another one of its job, made before it was started again. */
    private List<Path> earlier() {
      // Within one start of a job there may be other launches for the same task: their folders are
      // not this run's. Only a job that the cluster starts again finds what it did before.
      RunIdentity sought = job.attempt().requeues() > 0 ? identity : identity.ofTheLaunchAlone();
      if (sought.launchId().isEmpty() && sought.jobId().isEmpty()) {
        said.add(
            "started again by a launcher that gave the run no id (torchrun: --rdzv_id=NAME): its"
                + " earlier folder cannot be known");
        return List.of();
      }
      return RunFolders.of(job.target().outdir(), sought);
    }

    /** Several runs of one job may be for the same task: any of them that nobody is at. */
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
            "resuming from %s: the newest state of this run, which was started again"
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
          "holds states, but none that can be read (%s); choose another --outdir, or --overwrite"
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
            "no state of a run of %s is in %s: a new run begins"
                .formatted(name.description(), outdir));
      }
      return new FolderChoice(new RunPlace.New(outdir, name), named(), said);
    }

    private FolderChoice ownFolder() {
      Path folder = job.target().outdir();
      if (StateFiles.in(folder).isEmpty()) {
        return given(folder, RunPlace.Use.CONTINUE, named());
      }
      // What is there may be the work of this very run, which its launcher starts again.
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
          "holds the states of a run (%s): resume it with --resume=latest, choose another --outdir,"
                  .formatted(StateFiles.in(folder).getFirst().getFileName())
              + " or --overwrite it");
    }

    private FolderChoice given(Path folder, RunPlace.Use use, Optional<StoredState> state) {
      IfTaken ifTaken = job.attempt().isRestart() ? IfTaken.WAIT : IfTaken.REFUSE;
      return new FolderChoice(RunPlace.given(folder, use, ifTaken), state, said);
    }

    /** The state that the command names. */
    private Optional<StoredState> named() {
      return job.start() instanceof TrainingJob.Start.Resume(Path file)
          ? Optional.of(StoredState.read(file))
          : Optional.empty();
    }

    private Optional<StoredState> newest(Path folder) {
      StateSearch search = StateSearch.in(folder);
      search.damaged().forEach(line -> said.add("damaged, and passed over: " + line));
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

  /** Whether a file is directly in a folder, by whatever links both are named. */
  static boolean isIn(Path file, Path folder) {
    try {
      Path parent = file.toAbsolutePath().getParent();
      return parent != null && Files.isSameFile(parent, folder);
    } catch (IOException e) {
      return false;
    }
  }
}
