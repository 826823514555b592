// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io.zip;

import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.io.MappedFile;

/**
 * The files inside a mapped zip archive, stored or deflated. The sizes in the archive are
 * untrusted: entries must not overlap, and none is decompressed to more bytes than the caller
 * allows. May be read by several threads concurrently.
 *
 * <p>Names use slashes as separators: a backslash is read as a slash, a colon has no meaning, and
 * without the UTF-8 flag the character set is code page 437. Duplicate names and names that lead
 * outside the archive are rejected.
 */
public final class ZipArchive implements AutoCloseable {
  /** Up to this size, 2^26 (64 MiB), any compression ratio is allowed. */
  public static final long FREE_MEMBER_BYTES = 1L << 26;

  /** Above {@link #FREE_MEMBER_BYTES}, the maximum compression ratio of an entry. */
  public static final int MOST_UNPACKED_A_BYTE = 64;

  private static final long LOCAL_RECORD = 0x04034b50L;
  private static final int LOCAL_BYTES = 30;
  private static final int SIZES_FOLLOW = 8;
  private static final long IN_EXTRA = 0xffff_ffffL;
  private static final long CHUNK = 256 << 10;

  /** Deflate expands one byte to at most 1032 bytes. */
  private static final long MOST_UNPACKED = 1032;

  private final MappedFile file;
  private final ZipEnd end;
  private final List<ZipMember> members;

  private ZipArchive(MappedFile file, ZipEnd end, List<ZipMember> members) {
    this.file = file;
    this.end = end;
    this.members = members;
  }

  /**
   * Maps an archive and reads its directory.
   *
   * @return the archive, which the caller closes
   * @throws FileException if it is missing or not a zip; for entries that are encrypted, use
   *     another compression method, have duplicate names or names outside the archive, or overlap
   */
  public static ZipArchive open(Path path) {
    MappedFile file = MappedFile.open(path);
    try {
      return of(file, Integer.MAX_VALUE - 8);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /**
   * Reads the directory as {@link #open}, from a file that is already mapped. The file remains
   * owned by the caller, who closes it instead of the archive.
   *
   * @param mostMembers an archive with more entries is rejected
   */
  public static ZipArchive of(MappedFile file, int mostMembers) {
    return file.reading(() -> {
      ZipEnd end = ZipEnd.find(file, mostMembers);
      List<ZipMember> files =
          ZipDirectory.read(file, end).stream().filter(m -> !m.isFolder()).toList();
      return new ZipArchive(file, end, files);
    });
  }

  /** Returns the files in the order of the archive, without folders. */
  public List<ZipMember> members() {
    return members;
  }

  /**
   * Returns the name of an entry in messages: the path of the archive followed by that of the
   * entry.
   */
  public Path nameOf(ZipMember member) {
    try {
      return file.path().resolve(Printable.of(member.name()));
    } catch (InvalidPathException e) {
      // Some systems allow fewer characters in a name than a zip does.
      return file.path();
    }
  }

  /** Returns the comment of the archive; empty if there is none, or it is not UTF-8. */
  public String comment() {
    byte[] bytes = file.bytes(end.comment(), (int) (file.size() - end.comment()), "the comment");
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      return "";
    }
  }

  /**
   * Reads an entry and verifies its checksum.
   *
   * @param mostBytes maximum size of the entry
   * @throws FileException if it is larger, or its content does not match the directory
   */
  public byte[] read(ZipMember member, int mostBytes) {
    if (member.size() > mostBytes) {
      throw bad(member, "has %s bytes, but the maximum is %s".formatted(member.size(), mostBytes));
    }
    checkRatio(member);
    if (member.size() > FREE_MEMBER_BYTES
        && member.size() > member.packed() * MOST_UNPACKED_A_BYTE) {
      throw bad(
          member,
          ("declares %s compressed bytes for %s: above %s bytes, the maximum compression ratio is"
                  + " %s")
              .formatted(member.packed(), member.size(), FREE_MEMBER_BYTES, MOST_UNPACKED_A_BYTE));
    }
    // At most twice mostBytes, even if deflate has expanded it slightly.
    if (member.packed() > 2L * mostBytes || member.packed() > Integer.MAX_VALUE - 8) {
      throw bad(
          member,
          "occupies %s bytes of the file for %s bytes of content"
              .formatted(member.packed(), member.size()));
    }
    byte[] packed = packed(member, 0, (int) member.packed());
    byte[] bytes = member.isStored() ? packed : inflate(member, packed);
    CRC32 crc = new CRC32();
    crc.update(bytes);
    requireCrc(member, crc.getValue());
    return bytes;
  }

  /**
   * Returns the first bytes of an entry, without verifying its checksum; sufficient for the header
   * of an image.
   *
   * @param mostBytes maximum number of bytes
   * @return as many, or the complete entry
   * @throws FileException if its headers differ
   */
  public byte[] start(ZipMember member, int mostBytes) {
    int wanted = (int) Math.min(mostBytes, member.size());
    // Deflate expands data only slightly.
    long needed = wanted + (wanted >> 8) + 64L;
    byte[] packed = packed(member, 0, (int) Math.min(member.packed(), needed));
    if (member.isStored()) {
      return Arrays.copyOf(packed, Math.min(wanted, packed.length));
    }
    byte[] bytes = new byte[wanted];
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(packed);
      return Arrays.copyOf(bytes, inflated(inflater, bytes));
    } catch (DataFormatException e) {
      throw notDeflated(member, e);
    } finally {
      inflater.end();
    }
  }

  /**
   * Returns the last bytes of a stored entry, without verifying its checksum.
   *
   * @param mostBytes maximum number of bytes
   * @return as many, or the complete entry; empty for a deflated one
   * @throws FileException if its headers differ
   */
  public byte[] end(ZipMember member, int mostBytes) {
    int length = member.isStored() ? (int) Math.min(mostBytes, member.size()) : 0;
    return packed(member, member.packed() - length, length);
  }

  /**
   * Returns the bytes of a stored entry without a copy: read-only, valid until the file is closed.
   * Their checksum is not verified; see {@link #checkCrc}.
   *
   * @throws FileException if it is deflated, or its two headers differ
   */
  public MemorySegment slice(ZipMember member) {
    if (!member.isStored()) {
      throw bad(member, "is compressed, so it cannot be used without decompression");
    }
    return file.slice(dataStart(member), member.size(), Printable.of(member.name()));
  }

  /**
   * Reads a stored entry once and verifies its checksum.
   *
   * @throws FileException if it is wrong
   */
  public void checkCrc(ZipMember member) {
    CRC32 sum = new CRC32();
    for (long at = 0; at < member.size(); at += CHUNK) {
      // Copied first: computing it from the map would end the process if the file was truncated.
      sum.update(packed(member, at, (int) Math.min(CHUNK, member.size() - at)));
    }
    requireCrc(member, sum.getValue());
  }

  /**
   * Opens a stream of an entry of any size, without any verification: its reader knows the expected
   * size and checksum.
   *
   * @throws FileException if its headers differ, or it declares more than its bytes can contain
   */
  public InputStream stream(ZipMember member) {
    checkRatio(member);
    long _ = file.reading(() -> dataStart(member));
    return new MemberStream(this, member);
  }

  /** Returns bytes of the file that belong to an entry, from its beginning. */
  byte[] packed(ZipMember member, long from, int length) {
    return file.reading(
        () -> file.bytesOnce(dataStart(member) + from, length, Printable.of(member.name())));
  }

  private void checkRatio(ZipMember member) {
    if (member.size() / MOST_UNPACKED > member.packed()) {
      throw bad(
          member,
          "declares %s bytes, more than its %s compressed bytes can contain"
              .formatted(member.size(), member.packed()));
    }
  }

  private void requireCrc(ZipMember member, long found) {
    if ((int) found != member.crc()) {
      throw bad(
          member,
          "is damaged: it has the checksum %08x instead of %08x".formatted(found, member.crc()));
    }
  }

  /**
   * Returns the offset of an entry's data, after checking that its header agrees with the
   * directory.
   */
  private long dataStart(ZipMember member) {
    long at = member.header();
    String what = Printable.of(member.name());
    int flags = file.u16(at + 6, what);
    int nameLength = file.u16(at + 26, what);
    long start = at + LOCAL_BYTES + nameLength + file.u16(at + 28, what);
    if (member.packed() > member.limit() - start) {
      throw bad(member, "overlaps the following data in the zip");
    }
    boolean agree =
        file.u32(at, what) == LOCAL_RECORD
            && file.u16(at + 8, what) == member.method()
            && (flags & ZipDirectory.ENCRYPTED) == 0
            && (flags & SIZES_FOLLOW) == (member.flags() & SIZES_FOLLOW)
            && ZipDirectory.name(file.bytes(at + LOCAL_BYTES, nameLength, what), flags)
                .equals(member.name());
    if (agree && (flags & SIZES_FOLLOW) == 0) {
      long size = file.u32(at + 22, what);
      agree =
          (size == IN_EXTRA || size == member.size())
              && (int) file.u32(at + 14, what) == member.crc();
    }
    if (!agree) {
      throw bad(member, "has different headers in the zip's directory and before its data");
    }
    return start;
  }

  private byte[] inflate(ZipMember member, byte[] packed) {
    byte[] bytes = new byte[(int) member.size()];
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(packed);
      boolean whole =
          inflated(inflater, bytes) == bytes.length && inflater.inflate(new byte[1]) == 0;
      if (!whole || !inflater.finished()) {
        throw bad(
            member, "does not decompress to the %s bytes that it declares".formatted(bytes.length));
      }
      return bytes;
    } catch (DataFormatException e) {
      throw notDeflated(member, e);
    } finally {
      inflater.end();
    }
  }

  /** Decompresses until the array is full or the input ends; returns the number of bytes. */
  private static int inflated(Inflater inflater, byte[] bytes) throws DataFormatException {
    int at = 0;
    while (at < bytes.length) {
      int count = inflater.inflate(bytes, at, bytes.length - at);
      if (count == 0) {
        break;
      }
      at += count;
    }
    return at;
  }

  private FileException notDeflated(ZipMember member, DataFormatException e) {
    return new FileException(
        nameOf(member), "is damaged: its compressed data is not valid deflate data", e);
  }

  private FileException bad(ZipMember member, String what) {
    return new FileException(nameOf(member), what);
  }

  /** Unmaps the archive; no thread may be reading. Closing twice has no effect. */
  @Override
  public void close() {
    file.close();
  }
}
