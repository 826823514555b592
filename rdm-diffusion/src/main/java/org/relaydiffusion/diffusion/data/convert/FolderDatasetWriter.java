// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.data.LeftOut;
import org.relaydiffusion.diffusion.data.PictureSource;
import org.relaydiffusion.io.AtomicFile;

/**
 * Writes a data set as a folder. It is written to a subfolder, {@value #PART}, and moved up when it
 * is complete; until then, the previous content is unchanged. dataset.json is moved last, so its
 * absence identifies a folder whose process was killed while moving.
 */
final class FolderDatasetWriter implements DatasetWriter {
  /** The folder of the files until all are written. */
  static final String PART = LeftOut.UNFINISHED;

  private final DatasetTarget target;
  private final Path part;

  FolderDatasetWriter(DatasetTarget target) {
    this.target = target;
    this.part = target.path().resolve(PART);
  }

  @Override
  public void write(Content content) {
    boolean isNew = !Files.exists(target.path());
    if (!isNew) {
      target.checkFolder();
      DatasetTarget.deleteAll(part);
    }
    try {
      make(part);
      content.addTo(this::add);
      publish();
    } catch (RuntimeException e) {
      undo(isNew, e);
      throw e;
    }
  }

  /** Replaces the previous content by the written files. */
  private void publish() {
    target.clear();
    try (Stream<Path> written = Files.list(part)) {
      List<Path> labelsLast =
          written.sorted(Comparator.comparing(f -> f.endsWith(PictureSource.LABELS))).toList();
      for (Path file : labelsLast) {
        Files.move(file, target.path().resolve(file.getFileName()));
      }
      Files.delete(part);
    } catch (IOException e) {
      throw new FileException(target.path(), "cannot be written: " + AtomicFile.reason(e), e);
    }
  }

  private void undo(boolean isNew, RuntimeException cause) {
    try {
      DatasetTarget.deleteAll(part);
      if (isNew) {
        Files.deleteIfExists(target.path());
      }
    } catch (FileException | IOException e) {
      // Report the first error.
      cause.addSuppressed(e);
    }
  }

  private static void make(Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new FileException(folder, "cannot be created: " + AtomicFile.reason(e), e);
    }
  }

  private void add(String name, byte[] bytes) {
    Path file = part.resolve(name);
    try {
      Path folder = file.getParent();
      if (folder != null) {
        Files.createDirectories(folder);
      }
      Files.write(file, bytes, StandardOpenOption.CREATE_NEW);
    } catch (IOException e) {
      throw new FileException(file, "cannot be written: " + AtomicFile.reason(e), e);
    }
  }
}
