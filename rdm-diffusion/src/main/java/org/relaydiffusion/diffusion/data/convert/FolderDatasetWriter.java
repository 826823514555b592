package org.relaydiffusion.diffusion.data.convert;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.io.AtomicFile;

/**
 * A data set as a folder, which must be new or empty. A run that fails leaves what it has written
 * so far, and says so; as dataset.json comes last, its absence tells such a folder.
 */
final class FolderDatasetWriter implements DatasetWriter {
  private final Path target;
  private int written;

  FolderDatasetWriter(Path target) {
    this.target = target;
  }

  @Override
  public void write(Content content) {
    prepare();
    try {
      content.addTo(this::add);
    } catch (CancelledException e) {
      throw e;
    } catch (RdmException e) {
      throw new RdmException(
          "%s; %s files are left in %s, which is not complete"
              .formatted(e.getMessage(), written, target),
          e);
    }
  }

  private void prepare() {
    try {
      Files.createDirectories(target);
      try (Stream<Path> inside = Files.list(target)) {
        if (inside.findAny().isPresent()) {
          throw new FileException(target, "has files in it: expected a new or an empty folder");
        }
      }
    } catch (IOException e) {
      throw new FileException(target, "cannot be made: " + AtomicFile.reason(e), e);
    }
  }

  private void add(String name, byte[] bytes) {
    Path file = target.resolve(name);
    try {
      Path folder = file.getParent();
      if (folder != null) {
        Files.createDirectories(folder);
      }
      Files.write(file, bytes, StandardOpenOption.CREATE_NEW);
    } catch (IOException e) {
      throw new FileException(file, "cannot be written: " + AtomicFile.reason(e), e);
    }
    written++;
  }
}
