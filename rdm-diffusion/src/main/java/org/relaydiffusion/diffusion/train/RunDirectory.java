package org.relaydiffusion.diffusion.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;

/** The folder of one training run, and the names of the files in it. */
public final class RunDirectory {
  private static final Pattern NUMBERED = Pattern.compile("(\\d{1,9})-.*");
  private static final Pattern STATE = Pattern.compile("training-state-(\\d{1,12})\\.pt");
  private static final String RUN_ID = ".run-id";

  private final Path path;

  private RunDirectory(Path path) {
    this.path = path;
  }

  /**
   * {@code outdir} itself, made if it is not there.
   *
   * @throws FileException when it cannot be made or written
   */
  public static RunDirectory of(Path outdir) {
    return made(outdir);
  }

  /**
   * A new folder {@code outdir/00003-description}, with the number after the highest that is there.
   *
   * @throws FileException when it cannot be made or written
   */
  public static RunDirectory numbered(Path outdir, String description) {
    int next = folders(outdir).stream().mapToInt(RunDirectory::number).max().orElse(-1) + 1;
    return made(outdir.resolve(String.format(Locale.ROOT, "%05d-%s", next, description)));
  }

  /** The folder of the highest number in {@code outdir}, if there is one. */
  public static Optional<RunDirectory> latest(Path outdir) {
    return folders(outdir).stream()
        .max(Comparator.comparingInt(RunDirectory::number))
        .map(RunDirectory::new);
  }

  /**
   * The folder inside {@code outdir}, or itself, that an earlier attempt of run {@code id} made.
   */
  public static Optional<RunDirectory> ofRun(Path outdir, String id) {
    return Stream.concat(Stream.of(outdir), folders(outdir).stream())
        .filter(folder -> id.equals(idOf(folder)))
        .max(Comparator.comparingInt(RunDirectory::number))
        .map(RunDirectory::new);
  }

  /**
   * The name of a run as the reference makes it: {@code name-cond-adm-edm-gpus8-batch4096-fp16}.
   *
   * @param suffix {@code --desc}; may be empty
   */
  public static String description(
      String data,
      boolean conditional,
      String architecture,
      String preconditioning,
      int processes,
      int batch,
      String type,
      String suffix) {
    return "%s-%s-%s-%s-gpus%s-batch%s-%s%s"
        .formatted(
            data,
            conditional ? "cond" : "uncond",
            architecture,
            preconditioning,
            processes,
            batch,
            type,
            suffix.isEmpty() ? "" : "-" + suffix);
  }

  /** Notes which run this is, so that {@link #ofRun} finds it when the run is started again. */
  public void mark(String id) {
    try {
      Files.writeString(path.resolve(RUN_ID), id);
    } catch (IOException e) {
      throw unwritable(path, e);
    }
  }

  /** The folder. */
  public Path path() {
    return path;
  }

  /** A file in it. */
  public Path file(String name) {
    return path.resolve(name);
  }

  /** The training state at a number of images, named by whole thousands. */
  public Path state(long images) {
    return path.resolve(String.format(Locale.ROOT, "training-state-%06d.pt", images / 1000));
  }

  /** The network's snapshot at a number of images, named by whole thousands. */
  public Path snapshot(long images, String extension) {
    return path.resolve(String.format(
        Locale.ROOT, "network-snapshot-%06d.%s", images / 1000, extension));
  }

  /** The state with the highest number of images, if there is one. */
  public Optional<Path> latestState() {
    return latestState(path);
  }

  /** The state with the highest number of images directly in {@code folder}, if there is one. */
  public static Optional<Path> latestState(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(f -> kimgOf(f).isPresent())
          .max(Comparator.comparingLong(f -> kimgOf(f).orElseThrow()));
    } catch (IOException _) {
      return Optional.empty();
    }
  }

  /** The thousands of images in a state's name, if it is one. */
  public static Optional<Long> kimgOf(Path state) {
    Matcher name = STATE.matcher(String.valueOf(state.getFileName()));
    return name.matches() ? Optional.of(Long.parseLong(name.group(1))) : Optional.empty();
  }

  private static String idOf(Path folder) {
    try {
      return InputFile.text(folder.resolve(RUN_ID)).strip();
    } catch (IOException _) {
      return "";
    }
  }

  private static List<Path> folders(Path outdir) {
    if (!Files.isDirectory(outdir)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(outdir)) {
      return entries.filter(e -> Files.isDirectory(e) && number(e) >= 0).toList();
    } catch (IOException e) {
      throw new FileException(outdir, "cannot be listed: " + AtomicFile.reason(e), e);
    }
  }

  private static int number(Path folder) {
    Matcher name = NUMBERED.matcher(String.valueOf(folder.getFileName()));
    return name.matches() ? Integer.parseInt(name.group(1)) : -1;
  }

  private static RunDirectory made(Path path) {
    try {
      Files.createDirectories(path);
      if (!Files.isWritable(path)) {
        throw new FileException(path, "is a folder that may not be written to");
      }
      return new RunDirectory(path);
    } catch (IOException e) {
      throw unwritable(path, e);
    }
  }

  private static FileException unwritable(Path path, IOException e) {
    return new FileException(path, "cannot be made or written: " + AtomicFile.reason(e), e);
  }
}
