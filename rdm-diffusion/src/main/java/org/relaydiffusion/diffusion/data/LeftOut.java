package org.relaydiffusion.diffusion.data;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Files that look like pictures of a data set by their ending and are not meant as such.
 *
 * @param fromMac what macOS adds: files that begin with {@code ._}, the folder {@code __MACOSX}
 * @param checkpoints what Jupyter keeps in {@code .ipynb_checkpoints}
 * @param sheets the contact sheet that {@code rdm generate --grid} puts beside its pictures
 * @param unfinished what a {@code rdm dataset} that was killed has left
 * @param loops links to a folder that they are in themselves
 */
public record LeftOut(int fromMac, int checkpoints, int sheets, int unfinished, int loops) {
  /** Where a data set's files are until all are written. */
  public static final String UNFINISHED = ".rdm-dataset";

  /** Nothing. */
  public static final LeftOut NONE = new LeftOut(0, 0, 0, 0, 0);

  /** How many files and links they are. */
  public int count() {
    return fromMac + checkpoints + sheets + unfinished + loops;
  }

  /** One line that names the kinds with their numbers; empty where there is nothing. */
  public String text() {
    List<String> kinds = new ArrayList<>();
    add(kinds, fromMac, "of macOS (._*, __MACOSX)");
    add(kinds, checkpoints, "in .ipynb_checkpoints");
    add(kinds, sheets, "named grid.png (a contact sheet)");
    add(kinds, unfinished, "of a 'rdm dataset' that did not end");
    if (loops > 0) {
      kinds.add(loops + (loops == 1 ? " link" : " links") + " to a folder above");
    }
    return kinds.isEmpty() ? "" : "left out: " + String.join(", ", kinds);
  }

  private static void add(List<String> kinds, int count, String what) {
    if (count > 0) {
      kinds.add("%s %s %s".formatted(count, count == 1 ? "file" : "files", what));
    }
  }

  /** Counts what a listing comes upon. */
  static final class Counter {
    private int fromMac;
    private int checkpoints;
    private int sheets;
    private int unfinished;
    private int loops;

    /**
     * Whether a picture belongs to the data set.
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
