// SPDX-License-Identifier: Apache-2.0
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
 * The newest readable state.
 *
 * @param state the state; empty if there is none
 * @param damaged one line about each newer state, which cannot be read
 */
public record StateSearch(Optional<StoredState> state, List<String> damaged) {
  /**
   * Reads the states of a folder, the newest first, until one is undamaged.
   *
   * @throws FileException if the folder cannot be listed, or a state cannot be opened
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
          // The state may be undamaged: it could not be accessed. If it no longer exists, it was
          // deleted meanwhile by a run that keeps only the newest states.
          throw e;
        }
        damaged.add(String.valueOf(e.getMessage()));
      }
    }
    return new StateSearch(Optional.empty(), damaged);
  }

  /** Returns the folder of the state that was found. */
  public Path folder() {
    return Optional.ofNullable(state.orElseThrow().file().getParent()).orElse(Path.of(""));
  }
}
