// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Files that have the extension of an image but do not belong to the data set.
 *
 * @param fromMac files created by macOS: those that begin with {@code ._}, and the folder {@code
 *     __MACOSX}
 * @param checkpoints copies kept by Jupyter in {@code .ipynb_checkpoints}
 * @param sheets the contact sheet that {@code rdm generate --grid} writes beside its images
 * @param unfinished files left by a killed {@code rdm dataset}
 * @param loops links to a folder that contains them
 */
public record LeftOut(int fromMac, int checkpoints, int sheets, int unfinished, int loops) {
  /** The folder of a data set's files until all are written. */
  public static final String UNFINISHED = ".rdm-dataset";

  /** Nothing was skipped. */
  public static final LeftOut NONE = new LeftOut(0, 0, 0, 0, 0);

  /** Returns the number of files and links. */
  public int count() {
    return fromMac + checkpoints + sheets + unfinished + loops;
  }

  /** Returns one line that lists the kinds with their numbers; empty if there are none. */
  public String text() {
    List<String> kinds = new ArrayList<>();
    add(kinds, fromMac, "of macOS (._*, __MACOSX)");
    add(kinds, checkpoints, "in .ipynb_checkpoints");
    add(kinds, sheets, "named grid.png (a contact sheet)");
    add(kinds, unfinished, "of an unfinished 'rdm dataset'");
    if (loops > 0) {
      kinds.add(loops + (loops == 1 ? " link" : " links") + " to a parent folder");
    }
    return kinds.isEmpty() ? "" : "skipped: " + String.join(", ", kinds);
  }

  private static void add(List<String> kinds, int count, String what) {
    if (count > 0) {
      kinds.add("%s %s %s".formatted(count, count == 1 ? "file" : "files", what));
    }
  }

  /** Counts the skipped files of a listing. */
  static final class Counter {
    private int fromMac;
    private int checkpoints;
    private int sheets;
    private int unfinished;
    private int loops;

    /**
     * Returns whether a file belongs to the data set.
     *
     * @param name its path inside the source, with slashes
     */
    boolean keeps(String name) {
      if (isIn(name, "__MACOSX") || name.substring(name.lastIndexOf('/') + 1).startsWith("._")) {
        fromMac++;
      } else if (isIn(name, ".ipynb_checkpoints")) {
        checkpoints++;
      } else if (isIn(name, UNFINISHED)) {
        unfinished++;
      } else if (name.equals("grid.png")) {
        sheets++;
      } else {
        return true;
      }
      return false;
    }

    void loop() {
      loops++;
    }

    LeftOut count() {
      return new LeftOut(fromMac, checkpoints, sheets, unfinished, loops);
    }

    private static boolean isIn(String name, String folder) {
      return Stream.of(name.split("/", -1)).anyMatch(folder::equals);
    }
  }
}
