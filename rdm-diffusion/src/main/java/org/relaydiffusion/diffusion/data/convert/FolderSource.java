package org.relaydiffusion.diffusion.data.convert;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.io.AtomicFile;

/** The pictures in a folder and the folders below it. */
final class FolderSource implements ImageSource {
  private final Path folder;
  private final NamedPictures pictures;

  private FolderSource(Path folder, NamedPictures pictures) {
    this.folder = folder;
    this.pictures = pictures;
  }

  /**
   * Lists the folder. Links to files are followed, links to folders are not.
   *
   * @throws FileException when it cannot be listed or has no pictures
   */
  static FolderSource open(Path folder) {
    Set<String> files = new HashSet<>();
    try (Stream<Path> inside = Files.walk(folder.toRealPath())) {
      Path root = folder.toRealPath();
      inside.filter(Files::isRegularFile).forEach(file -> files.add(slashed(root, file)));
    } catch (IOException e) {
      throw new FileException(folder, "cannot be listed: " + AtomicFile.reason(e), e);
    } catch (UncheckedIOException e) {
      throw new FileException(folder, "cannot be listed: " + e.getMessage(), e);
    }
    return new FolderSource(
        folder,
        NamedPictures.of(
            folder, files, PictureNames.pathOrder(), name -> LabelFile.bytes(folder.resolve(name))));
  }

  private static String slashed(Path root, Path file) {
    return String.join(
        "/",
        StreamSupport.stream(root.relativize(file).spliterator(), false)
            .map(Path::toString)
            .toList());
  }

  @Override
  public int size() {
    return pictures.size();
  }

  @Override
  public Pixels read(int index) {
    Path file = folder.resolve(pictures.name(index));
    return PictureReader.decode(PictureReader.bytes(file), file);
  }

  @Override
  public OptionalInt label(int index) {
    return pictures.label(index);
  }

  @Override
  public String name(int index) {
    return folder.resolve(pictures.name(index)).toString();
  }

  @Override
  public void close() {}
}
