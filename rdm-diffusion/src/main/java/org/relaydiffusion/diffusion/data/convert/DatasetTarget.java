package org.relaydiffusion.diffusion.data.convert;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.OutputFile;

/**
 * Where a data set goes, and what is there already.
 *
 * @param path a folder, or a file that ends with .zip
 * @param overwrite whether a data set that is there may be replaced
 */
public record DatasetTarget(Path path, boolean overwrite) {
  /** What {@link FolderDatasetWriter} writes; nothing else is ever deleted. */
  private static final Pattern OURS =
      Pattern.compile("dataset\\.json|\\d{5}|\\d{5}/img\\d{8}\\.png");

  /**
   * Refuses to write over the source or over what is there, before anything is done.
   *
   * @param source the folder or file of the pictures; empty where there is none
   * @throws OptionException when the target is the source or lies inside it
   * @throws FileException when there is a data set that may not be replaced, or something else
   */
  public void check(Optional<Path> source) {
    if (source.isPresent()) {
      OutputFile.refuseInput(path, source.get());
      if (!DatasetWriter.isZip(path) && isInside(source.get())) {
        throw new OptionException(
            "--dest %s lies inside --source %s: the next run would read what this one wrote"
                .formatted(Printable.of(path), Printable.of(source.get())));
      }
    }
    if (DatasetWriter.isZip(path)) {
      OutputFile.refuseExisting(path, overwrite);
      AtomicFile.checkWritable(path);
    } else if (Files.exists(path)) {
      checkFolder();
    }
  }

  private boolean isInside(Path source) {
    try {
      if (!Files.isDirectory(source)) {
        return false;
      }
      Path outer = source.toRealPath();
      Path inner = path.toAbsolutePath().normalize();
      while (inner != null && !Files.exists(inner)) {
        inner = inner.getParent();
      }
      return inner != null && inner.toRealPath().startsWith(outer);
    } catch (IOException _) {
      // The source cannot be read; opening it says so.
      return false;
    }
  }

  private void checkFolder() {
    if (!Files.isDirectory(path)) {
      throw new FileException(path, "is a file: expected a new or an empty folder, or a .zip");
    }
    List<Path> inside = inside();
    if (!inside.isEmpty() && !overwrite) {
      throw new FileException(
          path,
          "has files in it: expected a new or an empty folder, or --overwrite to replace a data"
              + " set");
    }
    for (Path file : inside) {
      String name = String.join("/", names(file));
      boolean isOurs =
          OURS.matcher(name).matches()
              && (Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS) == name.matches("\\d{5}"));
      if (!isOurs) {
        throw new FileException(
            file, "is no part of a data set: --overwrite replaces nothing else, so delete it first");
      }
    }
  }

  private List<String> names(Path file) {
    List<String> names = new ArrayList<>();
    path.relativize(file).forEach(part -> names.add(part.toString()));
    return names;
  }

  /** Everything below the folder, what is deepest last. */
  private List<Path> inside() {
    try (Stream<Path> files = Files.walk(path)) {
      return files.filter(file -> !file.equals(path)).toList();
    } catch (IOException e) {
      throw new FileException(path, "cannot be listed: " + AtomicFile.reason(e), e);
    } catch (UncheckedIOException e) {
      throw new FileException(path, "cannot be listed: " + e.getMessage(), e);
    }
  }

  /**
   * Deletes the data set in the folder, if there is one; a zip is replaced when the new one is
   * whole. To be called after {@link #check}, when the source is open.
   *
   * @throws FileException naming what cannot be deleted
   */
  public void clear() {
    if (DatasetWriter.isZip(path) || !Files.exists(path)) {
      return;
    }
    checkFolder();
    for (Path file : inside().stream().sorted(Comparator.reverseOrder()).toList()) {
      try {
        Files.delete(file);
      } catch (IOException e) {
        throw new FileException(file, "cannot be deleted: " + AtomicFile.reason(e), e);
      }
    }
  }
}
