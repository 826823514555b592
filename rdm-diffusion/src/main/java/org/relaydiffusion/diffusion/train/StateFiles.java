// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.AtomicFile;

/** The states in a run's folder, {@code training-state-000123.pt}, by their names. */
public final class StateFiles {
  private static final Pattern STATE = Pattern.compile("training-state-(\\d{1,12})\\.pt");

  /**
   * The files of a run except for states; names with a leading dot identify the owner of the
   * folder.
   */
  private static final Pattern OTHERS =
      Pattern.compile(
          "network-snapshot-\\d+\\.(?:pkl|safetensors)|(?:fakes\\d+|reals)\\.png|log\\.txt"
              + "|stats\\.jsonl|training_options\\.json|events\\.out\\.tfevents\\..*");

  private StateFiles() {}

  /** Returns the thousands of images in the name of a state; empty for other files. */
  public static Optional<Long> kimgOf(Path state) {
    Matcher name = STATE.matcher(String.valueOf(state.getFileName()));
    return name.matches() ? Optional.of(Long.parseLong(name.group(1))) : Optional.empty();
  }

  /**
   * Returns the states directly in a folder, the one with the most images first; none if the folder
   * does not exist.
   *
   * @throws FileException if the folder cannot be listed
   */
  public static List<Path> in(Path folder) {
    return list(folder).stream()
        .filter(f -> kimgOf(f).isPresent())
        .sorted(Comparator.comparing((Path f) -> kimgOf(f).orElseThrow()).reversed())
        .toList();
  }

  /**
   * Renames the states with more images than the start of a run: they are damaged, or of a branch
   * that the run does not continue, and must not be mistaken for its own later.
   *
   * @param folder of the run
   * @param from the state that the run starts from; empty if there is none
   * @return one line about each
   * @throws FileException if one cannot be renamed
   */
  public static List<String> setAsideLater(Path folder, Optional<Path> from) {
    List<String> said = new ArrayList<>();
    long kimg = from.flatMap(StateFiles::kimgOf).orElse(-1L);
    for (Path state : in(folder)) {
      if (kimgOf(state).orElseThrow() > kimg) {
        Path other = free(state);
        try {
          Files.move(state, other);
        } catch (IOException e) {
          throw new FileException(state, "cannot be renamed: " + AtomicFile.reason(e), e);
        }
        said.add("renamed %s to %s".formatted(state, other.getFileName()));
      }
    }
    return said;
  }

  private static Path free(Path state) {
    Path other = state.resolveSibling(state.getFileName() + ".aside");
    for (int i = 2; Files.exists(other); i++) {
      other = state.resolveSibling("%s.aside%s".formatted(state.getFileName(), i));
    }
    return other;
  }

  /**
   * Deletes all but the newest states.
   *
   * @param newest the state that was written last, which is complete
   * @param kept number of states to keep, including that one; at least 1
   * @throws FileException if one cannot be deleted
   */
  static void deleteOlder(Path newest, int kept) {
    Path folder = newest.toAbsolutePath().getParent();
    long kimg = kimgOf(newest).orElseThrow();
    if (folder != null) {
      in(folder).stream()
          .filter(state -> kimgOf(state).orElseThrow() < kimg)
          .skip(kept - 1L)
          .forEach(StateFiles::delete);
    }
  }

  /**
   * Deletes the files of a run in a folder ({@code --overwrite}), its states last, so that the
   * folder is not mistaken for a run without states in the meantime.
   *
   * @throws FileException if a file cannot be deleted
   */
  public static void deleteRun(Path folder) {
    list(folder).stream()
        .filter(f -> OTHERS.matcher(String.valueOf(f.getFileName())).matches())
        .forEach(StateFiles::delete);
    in(folder).forEach(StateFiles::delete);
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      throw new FileException(file, "cannot be deleted: " + AtomicFile.reason(e), e);
    }
  }

  private static List<Path> list(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList();
    } catch (NoSuchFileException | NotDirectoryException e) {
      return List.of();
    } catch (UncheckedIOException e) {
      throw unlistable(folder, Objects.requireNonNull(e.getCause()));
    } catch (IOException e) {
      throw unlistable(folder, e);
    }
  }

  private static FileException unlistable(Path folder, IOException e) {
    return new FileException(folder, "cannot be listed: " + AtomicFile.reason(e), e);
  }
}
