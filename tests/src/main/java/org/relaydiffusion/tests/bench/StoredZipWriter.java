package org.relaydiffusion.tests.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;

/**
 * A zip archive as {@code torch.save} writes it: entries stored, their bytes aligned to 64, checksums
 * set, 64-bit records where sizes or offsets need them.
 */
final class StoredZipWriter implements AutoCloseable {
  private static final int ALIGNMENT = 64;
  private static final int LOCAL_BYTES = 30;
  private static final long LIMIT_32 = 0xffff_ffffL;
  private static final int CRC_AT = 14;

  /** Writes the bytes of one entry. */
  @FunctionalInterface
  interface Content {
    void write(Sink sink) throws IOException;
  }

  /** Takes the bytes of one entry. */
  @FunctionalInterface
  interface Sink {
    void accept(ByteBuffer bytes) throws IOException;
  }

  private record Entry(String name, long header, long size, int crc) {}

  private final FileChannel channel;
  private final List<Entry> entries = new ArrayList<>();
  private long at;

  StoredZipWriter(Path file) throws IOException {
    channel =
        FileChannel.open(
            file,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE);
  }

  /** Adds an entry of {@code size} bytes, which is no more than 4 GiB. */
  void add(String name, long size, Content content) throws IOException {
    if (size >= LIMIT_32) {
      throw new IOException("entry " + name + " is too large for this writer");
    }
    byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
    long header = at;
    long unpadded = header + LOCAL_BYTES + bytes.length + 4;
    int padding = (int) (-unpadded & (ALIGNMENT - 1));
    ByteBuffer local = buffer(LOCAL_BYTES + bytes.length + 4 + padding);
    local.putInt(0x04034b50).putShort((short) 20).putShort((short) 0).putShort((short) 0);
    local.putInt(0).putInt(0).putInt((int) size).putInt((int) size);
    local.putShort((short) bytes.length).putShort((short) (4 + padding)).put(bytes);
    // torch names its padding "FB".
    local.put((byte) 'F').put((byte) 'B').putShort((short) padding);
    local.position(local.limit());
    write(local.flip());
    long start = at;
    CRC32 crc = new CRC32();
    content.write(
        piece -> {
          crc.update(piece.duplicate());
          write(piece);
        });
    if (at - start != size) {
      throw new IOException("entry %s has %d bytes, not %d".formatted(name, at - start, size));
    }
    channel.write(buffer(4).putInt((int) crc.getValue()).flip(), header + CRC_AT);
    entries.add(new Entry(name, header, size, (int) crc.getValue()));
  }

  private void write(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      at += channel.write(bytes, at);
    }
  }

  /** Writes the directory. */
  @Override
  public void close() throws IOException {
    try (channel) {
      long directory = at;
      for (Entry e : entries) {
        directoryRecord(e);
      }
      end(directory, at - directory);
    }
  }

  private void directoryRecord(Entry e) throws IOException {
    byte[] bytes = e.name.getBytes(StandardCharsets.US_ASCII);
    boolean far = e.header >= LIMIT_32;
    ByteBuffer record = buffer(46 + bytes.length + (far ? 12 : 0));
    record.putInt(0x02014b50).putShort((short) 20).putShort((short) 20).putInt(0).putInt(0);
    record.putInt(e.crc).putInt((int) e.size).putInt((int) e.size);
    record.putShort((short) bytes.length).putShort((short) (far ? 12 : 0)).putShort((short) 0);
    record.putShort((short) 0).putShort((short) 0).putInt(0);
    record.putInt((int) Math.min(e.header, LIMIT_32)).put(bytes);
    if (far) {
      record.putShort((short) 1).putShort((short) 8).putLong(e.header);
    }
    write(record.flip());
  }

  private void end(long directory, long size) throws IOException {
    long record = at;
    ByteBuffer end = buffer(56 + 20 + 22);
    end.putInt(0x06064b50).putLong(44).putShort((short) 45).putShort((short) 45).putLong(0);
    end.putLong(entries.size()).putLong(entries.size()).putLong(size).putLong(directory);
    end.putInt(0x07064b50).putInt(0).putLong(record).putInt(1);
    end.putInt(0x06054b50).putInt(0);
    short count = (short) Math.min(entries.size(), 0xffff);
    end.putShort(count).putShort(count).putInt((int) Math.min(size, LIMIT_32));
    end.putInt((int) Math.min(directory, LIMIT_32)).putShort((short) 0);
    write(end.flip());
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
