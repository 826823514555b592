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

  /** What a run writes, states apart; what begins with a dot says whose the folder is. */
  private static final Pattern OTHERS =
      Pattern.compile(
          "network-snapshot-\\d+\\.(?:pkl|safetensors)|(?:fakes\\d+|reals)\\.png|log\\.txt"
              + "|stats\\.jsonl|training_options\\.json|events\\.out\\.tfevents\\..*");

  private StateFiles() {}

  /** The thousands of images in a state's name, if it is one. */
  public static Optional<Long> kimgOf(Path state) {
    Matcher name = STATE.matcher(String.valueOf(state.getFileName()));
    return name.matches() ? Optional.of(Long.parseLong(name.group(1))) : Optional.empty();
  }

  /**
   * The states directly in a folder, that of the most images first; none where there is no folder.
   *
   * @throws FileException when the folder cannot be listed
   */
  public static List<Path> in(Path folder) {
    return list(folder).stream()
        .filter(f -> kimgOf(f).isPresent())
        .sorted(Comparator.comparing((Path f) -> kimgOf(f).orElseThrow()).reversed())
        .toList();
  }

  /**
   * Gives the states of more images than a run begins with other names: they are damaged, or of a
   * course that the run does not take, and must not be taken for its own later.
   *
   * @param from the state that the run begins with; empty where it begins with none
   * @return a line about each
   * @throws FileException when one cannot be renamed
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
        said.add("%s is set aside as %s".formatted(state, other.getFileName()));
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
   * @param newest the state that was written last, which is whole
   * @param kept how many stay, that one included; at least 1
   * @throws FileException when one cannot be deleted
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
   * Deletes what a run wrote into a folder ({@code --overwrite}), its states last, so that the
   * folder is not taken for a run without states before it is one.
   *
   * @throws FileException when a file cannot be deleted
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
