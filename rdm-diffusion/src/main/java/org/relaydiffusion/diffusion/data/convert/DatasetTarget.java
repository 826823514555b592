// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
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
 * The output of a data set, and what exists there.
 *
 * @param path a folder, or a file that ends with .zip
 * @param overwrite whether an existing data set may be replaced
 */
public record DatasetTarget(Path path, boolean overwrite) {
  /** The names written by {@link FolderDatasetWriter}; nothing else is ever deleted. */
  private static final Pattern OUR_FILES =
      Pattern.compile("(\\.rdm-dataset/)?(dataset\\.json|\\d{5}/img\\d{8}\\.png)");

  private static final Pattern OUR_FOLDERS =
      Pattern.compile("\\.rdm-dataset|(\\.rdm-dataset/)?\\d{5}");

  /**
   * Rejects a target that would overwrite the source or existing files, before anything is done.
   *
   * @param source the folder or file of the images; empty if there is none
   * @throws OptionException if the target is the source or is inside it
   * @throws FileException if there is a data set that may not be replaced, or something else
   */
  public void check(Optional<Path> source) {
    if (source.isPresent()) {
      OutputFile.refuseInput(path, source.get());
      if (!DatasetWriter.isZip(path) && isInside(source.get())) {
        throw new OptionException(
            "--dest %s is inside --source %s: the next run would read the output of this one"
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
      // The source cannot be read; opening it will report the error.
      return false;
    }
  }

  /**
   * Rejects a folder that contains anything except a data set that may be replaced.
   *
   * @throws FileException naming the file
   */
  void checkFolder() {
    if (!Files.isDirectory(path)) {
      throw new FileException(path, "is a file: expected a new or empty folder, or a .zip");
    }
    List<Path> inside = inside(path);
    if (!inside.isEmpty() && !overwrite) {
      throw new FileException(
          path,
          "is not empty: expected a new or empty folder, or --overwrite to replace a data"
              + " set");
    }
    requireOurs(inside);
  }

  private void requireOurs(List<Path> inside) {
    for (Path file : inside) {
      String name = String.join("/", names(file));
      boolean isFolder = OUR_FOLDERS.matcher(name).matches();
      boolean isOurs =
          (isFolder || OUR_FILES.matcher(name).matches())
              && isFolder == Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS);
      if (!isOurs) {
        throw new FileException(
            file,
            "is not part of a data set: --overwrite only replaces data sets, so delete it first");
      }
    }
  }

  private List<String> names(Path file) {
    List<String> names = new ArrayList<>();
    path.relativize(file).forEach(part -> names.add(part.toString()));
    return names;
  }

  /** Returns everything below a folder, deepest last. */
  private static List<Path> inside(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      return files.filter(file -> !file.equals(folder)).toList();
    } catch (IOException e) {
      throw new FileException(folder, "cannot be listed: " + AtomicFile.reason(e), e);
    } catch (UncheckedIOException e) {
      throw new FileException(folder, "cannot be listed: " + e.getMessage(), e);
    }
  }

  /**
   * Deletes the data set in the folder, if there is one, except for {@link
   * FolderDatasetWriter#PART}.
   *
   * @throws FileException naming what cannot be deleted, or is not part of a data set
   */
  void clear() {
    Path part = path.resolve(FolderDatasetWriter.PART);
    List<Path> old = inside(path).stream().filter(f -> !f.startsWith(part)).toList();
    requireOurs(old);
    old.reversed().forEach(DatasetTarget::delete);
  }

  /** Deletes a folder with its content, if it exists. */
  static void deleteAll(Path folder) {
    if (Files.exists(folder)) {
      inside(folder).reversed().forEach(DatasetTarget::delete);
      delete(folder);
    }
  }

  private static void delete(Path file) {
    try {
      Files.delete(file);
    } catch (IOException e) {
      throw new FileException(file, "cannot be deleted: " + AtomicFile.reason(e), e);
    }
  }
}
