package org.relaydiffusion.launch.training;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
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
   * @param patience how long to wait for a holder that may be about to end
   */
  record Given(Path folder, Use use, List<String> states, Duration patience) implements RunPlace {}

  /** What becomes of what is in a folder. */
  enum Use {
    /** It stays, and the run adds to it. */
    CONTINUE,
    /** It is deleted. */
    OVERWRITE
  }

  /** A given folder as it is now. */
  static Given given(Path folder, Use use, Duration patience) {
    return new Given(folder, use, listing(folder), patience);
  }

  /**
   * Makes the folder if it is not there, and takes it.
   *
   * @return the caller closes it
   * @throws org.relaydiffusion.FileException when it cannot be made or written, or naming who has
   *     it
   */
  default RunDirectory take() {
    return switch (this) {
      case New(Path outdir, RunName name) -> RunDirectory.numbered(outdir, name.text());
      case Given given -> RunDirectory.of(given.folder, given.patience);
    };
  }

  /** Whether the states are still those that were there when the place was chosen. */
  default boolean isCurrent() {
    return !(this instanceof Given given) || given.states.equals(listing(given.folder));
  }

  /**
   * Refuses what {@link #take} would, without making or taking anything.
   *
   * @throws org.relaydiffusion.FileException naming who has the folder
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
