package org.relaydiffusion.diffusion.data;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;

/**
 * Pictures in a folder and the folders below it. Links to files are followed, links to folders are
 * not: a loop of them would have no end.
 */
final class FolderSource implements PictureSource {
  private static final int READ_FOR_CONTENT = 64;

  private final Path folder;
  private final List<String> pictures;

  private FolderSource(Path folder, List<String> pictures) {
    this.folder = folder;
    this.pictures = pictures;
  }

  static FolderSource open(Path folder) {
    try (Stream<Path> files = Files.walk(folder)) {
      List<String> pictures =
          files
              // Not a pipe or a device, which would never end; a broken link fails when it is read.
              .filter(f -> Files.isRegularFile(f) || Files.notExists(f))
              .filter(f -> PictureSource.isPicture(f.toString(), f))
              .map(f -> folder.relativize(f).toString().replace(File.separatorChar, '/'))
              .sorted(CodePointOrder.INSTANCE)
              .toList();
      return new FolderSource(folder, pictures);
    } catch (UncheckedIOException e) {
      throw unreadable(folder, e.getCause() instanceof IOException io ? io : new IOException(e));
    } catch (IOException e) {
      throw unreadable(folder, e);
    }
  }

  @Override
  public List<String> pictures() {
    return pictures;
  }

  @Override
  public byte[] read(int index) {
    return bytes(file(index), MOST_PICTURE_BYTES);
  }

  @Override
  public String stamp(int index) {
    Path file = file(index);
    try {
      BasicFileAttributes found = Files.readAttributes(file, BasicFileAttributes.class);
      return found.size() + " " + found.lastModifiedTime().toMillis();
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  @Override
  public String content(int index) {
    Path file = file(index);
    // To read every file would take as long as an epoch; these are spread over the set.
    if (index % Math.ceilDiv(pictures.size(), READ_FOR_CONTENT) == 0) {
      byte[] bytes = read(index);
      CRC32 crc = new CRC32();
      crc.update(bytes);
      return bytes.length + " " + Long.toHexString(crc.getValue());
    }
    try {
      return Long.toString(Files.size(file));
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  @Override
  public Path file(int index) {
    return folder.resolve(pictures.get(index));
  }

  @Override
  public Optional<byte[]> labels() {
    Path file = labelFile();
    return Files.isRegularFile(file)
        ? Optional.of(bytes(file, MOST_LABEL_BYTES))
        : Optional.empty();
  }

  @Override
  public Path labelFile() {
    return folder.resolve(LABELS);
  }

  /** Small files are read, not mapped: to map and unmap one takes longer than to decode it. */
  private static byte[] bytes(Path file, int most) {
    try (InputStream in = InputFile.stream(file)) {
      byte[] bytes = in.readNBytes(most);
      if (in.read() >= 0) {
        throw new FileException(file, "has more than the %s bytes that are read".formatted(most));
      }
      return bytes;
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private static FileException unreadable(Path file, IOException e) {
    boolean named = e instanceof FileSystemException f && f.getFile() != null;
    Path fault = named ? Path.of(((FileSystemException) e).getFile()) : file;
    return new FileException(fault, "cannot be read: " + AtomicFile.reason(e), e);
  }

  /** Does nothing: no file stays open. */
  @Override
  public void close() {}
}
