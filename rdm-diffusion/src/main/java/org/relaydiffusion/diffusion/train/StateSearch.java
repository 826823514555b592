package org.relaydiffusion.diffusion.train;

import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;

/**
 * The newest state that can be read.
 *
 * @param state it; empty where there is none
 * @param damaged a line about each newer one, which cannot be read
 */
public record StateSearch(Optional<StoredState> state, List<String> damaged) {
  /**
   * Reads the states of a folder, the newest first, until one is whole.
   *
   * @throws FileException when the folder cannot be listed, or a state not opened
   */
  public static StateSearch in(Path folder) {
    List<String> damaged = new ArrayList<>();
    for (Path file : StateFiles.in(folder)) {
      try {
        return new StateSearch(Optional.of(StoredState.read(file)), damaged);
      } catch (CancelledException e) {
        throw e;
      } catch (RdmException e) {
        if (e.getCause() instanceof IOException && !(e.getCause() instanceof NoSuchFileException)) {
          // It may be whole: what failed is the way to it. One that is gone was deleted meanwhile,
          // by a run that keeps the newest ones only.
          throw e;
        }
        damaged.add(String.valueOf(e.getMessage()));
      }
    }
    return new StateSearch(Optional.empty(), damaged);
  }

  /** The folder of the state that was found. */
  public Path folder() {
    return Optional.ofNullable(state.orElseThrow().file().getParent()).orElse(Path.of(""));
  }
}
