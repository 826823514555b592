package org.relaydiffusion.launch.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.relaydiffusion.diffusion.train.FolderInUseException;
import org.relaydiffusion.diffusion.train.RunDirectory;
import org.relaydiffusion.diffusion.train.RunName;
import org.relaydiffusion.diffusion.train.StateFiles;

/** Where a run will write. */
sealed interface RunPlace {
  /** A folder of its own that is not there yet. */
  record New(Path outdir, RunName name) implements RunPlace {}

  /**
   * A given folder, which may be there already.
   *
   * @param folder it
   * @param use what becomes of what is in it
   * @param states those that were in it when it was looked at
   * @param ifTaken what to do where another process has it
   */
  record Given(Path folder, Use use, List<String> states, IfTaken ifTaken) implements RunPlace {}

  /** What to do where another process has the folder. */
  enum IfTaken {
    /** The run cannot be. */
    REFUSE(Duration.ZERO),
    /** The run waits: on a network file system, the lock of a killed process may outlive it. */
    WAIT(Duration.ofMinutes(2)),
    /** There are other folders that would do. */
    CHOOSE_AGAIN(Duration.ZERO);

    private final Duration patience;

    IfTaken(Duration patience) {
      this.patience = patience;
    }
  }

  /** What becomes of what is in a folder. */
  enum Use {
    /** It stays, and the run adds to it. */
    CONTINUE,
    /** It is deleted. */
    OVERWRITE
  }

  /** A given folder as it is now. */
  static Given given(Path folder, Use use, IfTaken ifTaken) {
    return new Given(folder, use, listing(folder), ifTaken);
  }

  /**
   * Makes the folder if it is not there, and takes it.
   *
   * @return the caller closes it; empty when another process has it and the run may have another
   * @throws FolderInUseException naming who has it
   * @throws org.relaydiffusion.FileException when it cannot be made or written
   */
  default Optional<RunDirectory> take() {
    return switch (this) {
      case New(Path outdir, RunName name) ->
          Optional.of(RunDirectory.numbered(outdir, name.text()));
      case Given given -> {
        try {
          yield Optional.of(RunDirectory.of(given.folder, given.ifTaken.patience));
        } catch (FolderInUseException e) {
          if (given.ifTaken != IfTaken.CHOOSE_AGAIN) {
            throw e;
          }
          yield Optional.empty();
        }
      }
    };
  }

  /** Whether the states are still those that were there when the place was chosen. */
  default boolean isCurrent() {
    return !(this instanceof Given given) || given.states.equals(listing(given.folder));
  }

  /**
   * Refuses what {@link #take} would, without making or taking anything.
   *
   * @throws FolderInUseException naming who has the folder
   */
  default void requireFree() {
    if (this instanceof Given given) {
      RunDirectory.requireFree(given.folder);
    }
  }

  private static List<String> listing(Path folder) {
    List<String> listing = new ArrayList<>();
    for (Path state : StateFiles.in(folder)) {
      try {
        BasicFileAttributes found = Files.readAttributes(state, BasicFileAttributes.class);
        listing.add(
            "%s %s %s".formatted(state.getFileName(), found.size(), found.lastModifiedTime()));
      } catch (IOException e) {
        listing.add(state.getFileName() + " is gone");
      }
    }
    return listing;
  }
}
