// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.AtomicFile;

/** Finds runs in the folder that contains them. */
public final class RunFolders {
  private static final Pattern NUMBERED = Pattern.compile("(\\d{1,9})-(.*)");

  private RunFolders() {}

  /**
   * Returns the folders inside {@code outdir}, or itself, created by an earlier start of a run:
   * that of the launch or, if there is none, those of the job, the newest first.
   *
   * @throws FileException if {@code outdir} cannot be listed
   */
  public static List<Path> of(Path outdir, RunIdentity run) {
    List<Path> all = Stream.concat(numbered(outdir).stream(), Stream.of(outdir)).toList();
    List<Path> launch = all.stream().filter(run::isOfTheLaunch).toList();
    return launch.isEmpty() ? all.stream().filter(run::isOfTheJob).toList() : launch;
  }

  /**
   * Returns the runs in {@code outdir} with the same description, the newest first.
   *
   * @throws FileException if {@code outdir} cannot be listed
   */
  public static List<Path> of(Path outdir, RunName name) {
    return numbered(outdir).stream()
        .filter(folder -> name.describes(match(folder).map(m -> m.group(2)).orElse("")))
        .toList();
  }

  static int highestNumber(Path outdir) {
    return numbered(outdir).stream().mapToInt(RunFolders::number).max().orElse(-1);
  }

  static long count(Path outdir, int number) {
    return numbered(outdir).stream().filter(folder -> number(folder) == number).count();
  }

  /** Returns the numbered folders, the highest number first. */
  private static List<Path> numbered(Path outdir) {
    if (!Files.isDirectory(outdir)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(outdir)) {
      return entries
          .filter(e -> number(e) >= 0 && Files.isDirectory(e))
          .sorted(
              Comparator.comparingInt(RunFolders::number).thenComparing(Path::toString).reversed())
          .toList();
    } catch (UncheckedIOException e) {
      throw unlistable(outdir, Objects.requireNonNull(e.getCause()));
    } catch (IOException e) {
      throw unlistable(outdir, e);
    }
  }

  private static int number(Path folder) {
    return match(folder).map(m -> Integer.parseInt(m.group(1))).orElse(-1);
  }

  private static Optional<Matcher> match(Path folder) {
    Matcher name = NUMBERED.matcher(String.valueOf(folder.getFileName()));
    return name.matches() ? Optional.of(name) : Optional.empty();
  }

  private static FileException unlistable(Path folder, IOException e) {
    return new FileException(folder, "cannot be listed: " + AtomicFile.reason(e), e);
  }
}
