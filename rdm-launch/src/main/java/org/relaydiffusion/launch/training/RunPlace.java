// SPDX-License-Identifier: Apache-2.0
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

/** The location of a run's output. */
sealed interface RunPlace {
  /** A new folder, which does not exist yet. */
  record New(Path outdir, RunName name) implements RunPlace {}

  /**
   * A given folder, which may exist.
   *
   * @param folder the folder
   * @param use what is done with its content
   * @param states the states that it contained when it was examined
   * @param ifTaken what to do if another process owns it
   */
  record Given(Path folder, Use use, List<String> states, IfTaken ifTaken) implements RunPlace {}

  /** What to do if another process owns the folder. */
  enum IfTaken {
    /** The run fails. */
    REFUSE(Duration.ZERO),
    /** The run waits: on a network file system, the lock of a killed process may outlive it. */
    WAIT(Duration.ofMinutes(2)),
    /** Another folder is chosen. */
    CHOOSE_AGAIN(Duration.ZERO);

    private final Duration patience;

    IfTaken(Duration patience) {
      this.patience = patience;
    }
  }

  /** What is done with the content of a folder. */
  enum Use {
    /** It is kept, and the run adds to it. */
    CONTINUE,
    /** It is deleted. */
    OVERWRITE
  }

  /** Returns a given folder in its current state. */
  static Given given(Path folder, Use use, IfTaken ifTaken) {
    return new Given(folder, use, listing(folder), ifTaken);
  }

  /**
   * Creates the folder if it does not exist, and takes ownership of it.
   *
   * @return the folder, which the caller closes; empty if another process owns it and the run may
   *     use another
   * @throws FolderInUseException naming the owner
   * @throws org.relaydiffusion.FileException if it cannot be created or written
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

  /** Returns whether the states are still those that existed when the location was chosen. */
  default boolean isCurrent() {
    return !(this instanceof Given given) || given.states.equals(listing(given.folder));
  }

  /**
   * Performs the checks of {@link #take} without creating or locking anything.
   *
   * @throws FolderInUseException naming the owner of the folder
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
        listing.add(state.getFileName() + " was deleted");
      }
    }
    return listing;
  }
}
