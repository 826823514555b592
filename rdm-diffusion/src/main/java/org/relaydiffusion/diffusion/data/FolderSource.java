// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.zip.CRC32;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.image.PictureBudget;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;

/** Images in a folder and its subfolders. */
record FolderSource(Path path, List<String> pictures, int files, LeftOut leftOut)
    implements PictureSource {
  private static final int READ_FOR_CONTENT = 64;

  static FolderSource open(Path folder, Order order) {
    FolderListing listing = FolderListing.of(folder);
    List<String> pictures = listing.pictures().stream().sorted(order.comparator()).toList();
    return new FolderSource(folder, pictures, listing.files(), listing.leftOut());
  }

  @Override
  public PictureSource without(Set<String> names) {
    return new FolderSource(
        path, pictures.stream().filter(n -> !names.contains(n)).toList(), files, leftOut);
  }

  @Override
  public byte[] read(int index) {
    return bytes(file(index), PictureBudget.MOST_BYTES);
  }

  @Override
  public Ends ends(int index, int most) {
    Path file = file(index);
    try (FileChannel channel = InputFile.channel(file)) {
      long size = channel.size();
      byte[] start = bytes(channel, 0, (int) Math.min(most, size));
      int from = (int) Math.min(most, size);
      byte[] end = from == size ? start : bytes(channel, size - from, from);
      return new Ends(start, end, size);
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private static byte[] bytes(FileChannel channel, long from, int length) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(length);
    while (bytes.hasRemaining() && channel.read(bytes, from + bytes.position()) >= 0) {}
    return Arrays.copyOf(bytes.array(), bytes.position());
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
    // Reading all files would take as long as an epoch; these are spread over the set.
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
    return path.resolve(pictures.get(index));
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
    return path.resolve(LABELS);
  }

  /** Small files are read, not mapped: mapping and unmapping takes longer than decoding. */
  private static byte[] bytes(Path file, int most) {
    try (InputStream in = InputFile.stream(file)) {
      byte[] bytes = in.readNBytes(most);
      if (in.read() >= 0) {
        throw new FileException(file, "has more than the maximum of %s bytes".formatted(most));
      }
      return bytes;
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  static FileException unreadable(Path file, IOException e) {
    boolean named = e instanceof FileSystemException f && f.getFile() != null;
    Path fault = named ? Path.of(((FileSystemException) e).getFile()) : file;
    return new FileException(fault, "cannot be read: " + AtomicFile.reason(e), e);
  }

  /** Does nothing: no file stays open. */
  @Override
  public void close() {}
}
