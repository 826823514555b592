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
 * Writes a zip archive of stored entries, of any size and one after another: none is held in
 * memory. Numbers that do not fit in the format's 32 bits go to its 64-bit records.
 */
public final class StoredZipWriter {
  private static final int ALIGNMENT = 64;
  private static final int LOCAL_BYTES = 30;
  private static final int CRC_AT = 14;
  private static final int IN_EXTRA = 0xffff_ffff;
  private static final int COUNT_IN_EXTRA = 0xffff;
  private static final int MOST_COMMENT = 0xffff;
  private static final short EXTRA_64 = 1;

  /** The extra field that torch fills up with, "FB": readers pass over what they do not know. */
  private static final short EXTRA_PADDING = 0x4246;

  private static final short VERSION = 20;
  private static final short VERSION_64 = 45;

  /** 1 January 1980: files with equal content are equal. */
  private static final int DATE = 0x0021;

  /** Whose archives these look like. */
  public enum Layout {
    /**
     * {@code torch.save}: bytes begin at multiples of 64, so the file can be mapped and its tensors
     * used where they lie.
     */
    TORCH((short) 0, 0),
    /**
     * {@code np.savez}: every entry has 64-bit sizes before its bytes, and is a file that its owner
     * may read and write on Unix.
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
   * An archive without entries.
   *
   * @param out positioned at its start, open for writing at any position; stays the caller's
   * @param layout whose archives it looks like
   */
  public StoredZipWriter(FileChannel out, Layout layout) {
    this(out, layout, Limits.FORMAT);
  }

  /** As {@link #StoredZipWriter(FileChannel, Layout)}, with limits other than the format's. */
  public StoredZipWriter(FileChannel out, Layout layout, Limits limits) {
    this.out = out;
    this.layout = layout;
    this.limits = limits;
  }

  /**
   * From where on numbers go to 64-bit records. A test that lowers them needs no files of 4 GiB.
   *
   * @param number the smallest size or offset that does, in bytes; at most 2^32 - 1
   * @param count the smallest number of entries that does; at most 2^16 - 1
   */
  public record Limits(long number, int count) {
    /** Those of the format. */
    public static final Limits FORMAT = new Limits(0xffff_ffffL, COUNT_IN_EXTRA);
  }

  /** Takes an entry's bytes, in order. */
  @FunctionalInterface
  public interface Sink {
    /** Takes the next bytes, to the buffer's limit. */
    void accept(ByteBuffer bytes) throws IOException;
  }

  /** Gives an entry's bytes. */
  @FunctionalInterface
  public interface Content {
    /** Gives all bytes, in order. */
    void writeTo(Sink sink) throws IOException;
  }

  private record Entry(byte[] name, long size, int crc, long header) {}

  /** Adds an entry that lies in memory. */
  public void add(String name, byte[] content) throws IOException {
    add(name, content.length, sink -> sink.accept(ByteBuffer.wrap(content)));
  }

  /**
   * Adds an entry.
   *
   * @param name in ASCII
   * @param size the number of bytes that {@code content} gives
   * @throws IOException when it cannot be written, or the content has another size
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
    // The bytes come before their sum is known, the header comes before the bytes.
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

  /** The length of the field of padding that makes the bytes begin at a multiple of 64. */
  private static int filled(long at) {
    return 4 + (int) (-(at + 4) & (ALIGNMENT - 1));
  }

  /**
   * Gives the archive a comment, which readers pass over that do not ask for it.
   *
   * @param text ASCII, at most 65535 characters
   */
  public void comment(String text) {
    if (text.length() > MOST_COMMENT) {
      throw new IllegalArgumentException("a zip's comment has at most 65535 characters");
    }
    comment = text.getBytes(StandardCharsets.US_ASCII);
  }

  /** Writes the directory; nothing can be added after that. */
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
