// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;

/**
 * Writes a zip archive of stored entries sequentially; entries may have any size and are not held
 * in memory. Numbers that exceed 32 bits are written to Zip64 records.
 */
public final class StoredZipWriter {
  private static final int ALIGNMENT = 64;
  private static final int LOCAL_BYTES = 30;
  private static final int CRC_AT = 14;
  private static final int IN_EXTRA = 0xffff_ffff;
  private static final int COUNT_IN_EXTRA = 0xffff;
  private static final int MOST_COMMENT = 0xffff;
  private static final short EXTRA_64 = 1;

  /** The extra field with which PyTorch pads entries, "FB"; readers ignore unknown fields. */
  private static final short EXTRA_PADDING = 0x4246;

  private static final short VERSION = 20;
  private static final short VERSION_64 = 45;

  /** 1 January 1980: equal content gives equal files. */
  private static final int DATE = 0x0021;

  /** The layout of the archive. */
  public enum Layout {
    /**
     * As written by {@code torch.save}: the data of each entry is aligned to 64 bytes, so that
     * tensors of a mapped file can be used without a copy.
     */
    TORCH((short) 0, 0),
    /**
     * As written by {@code np.savez}: every entry has 64-bit sizes before its data, and Unix
     * permissions for its owner to read and write.
     */
    NUMPY((short) (3 << 8), 0600 << 16);

    private final short madeOn;
    private final int attributes;

    Layout(short madeOn, int attributes) {
      this.madeOn = madeOn;
      this.attributes = attributes;
    }
  }

  private final FileChannel out;
  private final Layout layout;
  private final Limits limits;
  private final List<Entry> entries = new ArrayList<>();
  private byte[] comment = {};

  /**
   * Creates an empty archive.
   *
   * @param out positioned at its start, open for writing at any position; remains owned by the
   *     caller
   * @param layout of the archive
   */
  public StoredZipWriter(FileChannel out, Layout layout) {
    this(out, layout, Limits.FORMAT);
  }

  /**
   * Creates an archive as {@link #StoredZipWriter(FileChannel, Layout)}, with other limits than the
   * format's.
   */
  public StoredZipWriter(FileChannel out, Layout layout, Limits limits) {
    this.out = out;
    this.layout = layout;
    this.limits = limits;
  }

  /**
   * The thresholds from which on numbers are written to 64-bit records. A test that lowers them
   * needs no files of 4 GiB.
   *
   * @param number the smallest such size or offset, in bytes; at most 2^32 - 1
   * @param count the smallest such number of entries; at most 2^16 - 1
   */
  public record Limits(long number, int count) {
    /** The limits of the format. */
    public static final Limits FORMAT = new Limits(0xffff_ffffL, COUNT_IN_EXTRA);
  }

  /** Receives the data of an entry, in order. */
  @FunctionalInterface
  public interface Sink {
    /** Receives the next bytes, up to the limit of the buffer. */
    void accept(ByteBuffer bytes) throws IOException;
  }

  /** Supplies the data of an entry. */
  @FunctionalInterface
  public interface Content {
    /** Supplies all bytes, in order. */
    void writeTo(Sink sink) throws IOException;
  }

  private record Entry(byte[] name, long size, int crc, long header) {}

  /** Adds an entry from memory. */
  public void add(String name, byte[] content) throws IOException {
    add(name, content.length, sink -> sink.accept(ByteBuffer.wrap(content)));
  }

  /**
   * Adds an entry.
   *
   * @param name in ASCII
   * @param size the number of bytes supplied by {@code content}
   * @param content supplies the data
   * @throws IOException if it cannot be written, or the content has another size
   */
  public void add(String name, long size, Content content) throws IOException {
    byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
    long header = out.position();
    write(local(bytes, size, header));
    CRC32 crc = new CRC32();
    long start = out.position();
    content.writeTo(chunk -> {
      crc.update(chunk.duplicate());
      write(chunk);
    });
    if (out.position() - start != size) {
      throw new IOException(
          "entry '%s' has %s bytes, expected %s".formatted(name, out.position() - start, size));
    }
    ByteBuffer sum = little(4).putInt((int) crc.getValue()).flip();
    // The data is written before its checksum is known, and the header precedes the data.
    while (sum.hasRemaining()) {
      out.write(sum, header + CRC_AT + sum.position());
    }
    entries.add(new Entry(bytes, size, (int) crc.getValue(), header));
  }

  private ByteBuffer local(byte[] name, long size, long header) {
    boolean large = layout == Layout.NUMPY || size >= limits.number;
    int extra64 = large ? 20 : 0;
    int filled = layout == Layout.TORCH ? filled(header + LOCAL_BYTES + name.length + extra64) : 0;
    ByteBuffer record = little(LOCAL_BYTES + name.length + extra64 + filled);
    record.putInt(0x04034b50);
    record.putShort(large ? VERSION_64 : VERSION);
    record.putShort((short) 0).putShort((short) 0);
    record.putInt(DATE << Short.SIZE).putInt(0);
    record.putInt(large ? IN_EXTRA : (int) size).putInt(large ? IN_EXTRA : (int) size);
    record.putShort((short) name.length).putShort((short) (extra64 + filled));
    record.put(name);
    if (large) {
      record.putShort(EXTRA_64).putShort((short) 16).putLong(size).putLong(size);
    }
    if (filled > 0) {
      record.putShort(EXTRA_PADDING).putShort((short) (filled - 4));
    }
    while (record.hasRemaining()) {
      record.put((byte) 'Z');
    }
    return record.flip();
  }

  /** Returns the length of the padding field that aligns the data to 64 bytes. */
  private static int filled(long at) {
    return 4 + (int) (-(at + 4) & (ALIGNMENT - 1));
  }

  /**
   * Sets the comment of the archive, which readers ignore by default.
   *
   * @param text ASCII, at most 65535 characters
   */
  public void comment(String text) {
    if (text.length() > MOST_COMMENT) {
      throw new IllegalArgumentException("a zip's comment has at most 65535 characters");
    }
    comment = text.getBytes(StandardCharsets.US_ASCII);
  }

  /** Writes the directory; nothing can be added afterwards. */
  public void finish() throws IOException {
    long start = out.position();
    ByteArrayOutputStream directory = new ByteArrayOutputStream();
    for (Entry entry : entries) {
      directory.writeBytes(directory(entry));
    }
    write(ByteBuffer.wrap(directory.toByteArray()));
    long size = out.position() - start;
    boolean large =
        start >= limits.number || size >= limits.number || entries.size() >= limits.count;
    if (large) {
      write(end64(start, size));
    }
    short count = (short) (large ? COUNT_IN_EXTRA : entries.size());
    ByteBuffer end =
        little(22 + comment.length).putInt(0x06054b50).putInt(0).putShort(count).putShort(count);
    end.putInt(large ? IN_EXTRA : (int) size).putInt(large ? IN_EXTRA : (int) start);
    write(end.putShort((short) comment.length).put(comment).flip());
  }

  private byte[] directory(Entry entry) {
    boolean largeSize = entry.size >= limits.number;
    boolean largeHeader = entry.header >= limits.number;
    int extra = (largeSize ? 16 : 0) + (largeHeader ? 8 : 0);
    boolean new64 = layout == Layout.NUMPY || largeSize || largeHeader;
    short version = new64 ? VERSION_64 : VERSION;
    ByteBuffer record = little(46 + entry.name.length + (extra == 0 ? 0 : extra + 4));
    record.putInt(0x02014b50).putShort((short) (layout.madeOn | version)).putShort(version);
    record.putShort((short) 0).putShort((short) 0);
    record.putInt(DATE << Short.SIZE).putInt(entry.crc);
    int size = largeSize ? IN_EXTRA : (int) entry.size;
    record.putInt(size).putInt(size);
    record.putShort((short) entry.name.length);
    record.putShort((short) (extra == 0 ? 0 : extra + 4));
    record.putShort((short) 0).putShort((short) 0).putShort((short) 0).putInt(layout.attributes);
    record.putInt(largeHeader ? IN_EXTRA : (int) entry.header);
    record.put(entry.name);
    if (extra > 0) {
      record.putShort(EXTRA_64).putShort((short) extra);
    }
    if (largeSize) {
      record.putLong(entry.size).putLong(entry.size);
    }
    if (largeHeader) {
      record.putLong(entry.header);
    }
    byte[] written = new byte[record.flip().remaining()];
    record.get(written);
    return written;
  }

  private ByteBuffer end64(long start, long size) throws IOException {
    ByteBuffer end = little(56 + 20);
    end.putInt(0x06064b50).putLong(44).putShort(VERSION_64).putShort(VERSION_64);
    end.putInt(0).putInt(0).putLong(entries.size()).putLong(entries.size());
    end.putLong(size).putLong(start);
    end.putInt(0x07064b50).putInt(0).putLong(out.position()).putInt(1);
    return end.flip();
  }

  private static ByteBuffer little(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void write(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }
}
