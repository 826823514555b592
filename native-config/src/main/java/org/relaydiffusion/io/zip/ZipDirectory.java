// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io.zip;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.io.MappedFile;

/**
 * Reads the central directory of a zip archive, and nothing else of the file: a data set of a
 * million images is opened without reading them.
 */
final class ZipDirectory {
  private static final long DIRECTORY_RECORD = 0x02014b50L;
  static final int ENCRYPTED = 1;
  private static final int UTF_8_NAME = 1 << 11;
  private static final long IN_EXTRA = 0xffff_ffffL;
  private static final int EXTRA_64 = 1;
  private static final int LOCAL_BYTES = 30;

  /** Names without the UTF-8 flag use the original IBM PC character set, as in Python. */
  private static final Charset CP437 = Charset.forName("IBM437");

  private final MappedFile file;
  private final ZipEnd end;

  private ZipDirectory(MappedFile file, ZipEnd end) {
    this.file = file;
    this.end = end;
  }

  /**
   * Returns the entries of the archive, including folders, in the order of the directory.
   *
   * @throws FileException if the directory is damaged; for encrypted entries and compression
   *     methods other than deflate; if a name is duplicate or leads outside the archive; if entries
   *     overlap
   */
  static List<ZipMember> read(MappedFile file, ZipEnd end) {
    ZipDirectory directory = new ZipDirectory(file, end);
    List<ZipMember> members = directory.records();
    directory.refuseTwins(members);
    return directory.withLimits(members);
  }

  private List<ZipMember> records() {
    long limit = end.offset() + end.size();
    long at = end.offset();
    List<ZipMember> members = new ArrayList<>();
    for (int i = 0; i < end.members(); i++) {
      if (at > limit - ZipEnd.SMALLEST_RECORD || file.u32(at, "a record") != DIRECTORY_RECORD) {
        throw bad("is a zip with a damaged directory at offset %s".formatted(at));
      }
      int nameLength = file.u16(at + 28, "a name's length");
      int extraLength = file.u16(at + 30, "an extra field's length");
      long next =
          at + ZipEnd.SMALLEST_RECORD + nameLength + extraLength + file.u16(at + 32, "a comment");
      if (next > limit) {
        throw bad("is a zip with a damaged directory at offset %s".formatted(at));
      }
      members.add(member(at, nameLength, extraLength));
      at = next;
    }
    if (at != limit) {
      throw bad(
          "is a zip whose directory has more than the declared %s entries"
              .formatted(end.members()));
    }
    return members;
  }

  private ZipMember member(long at, int nameLength, int extraLength) {
    int flags = file.u16(at + 8, "an entry's flags");
    byte[] raw = file.bytes(at + ZipEnd.SMALLEST_RECORD, nameLength, "an entry's name");
    String name = name(raw, flags);
    checkName(name);
    int method = file.u16(at + 10, name);
    if ((flags & ENCRYPTED) != 0) {
      throw bad("entry '%s' is encrypted".formatted(Printable.of(name)));
    }
    if (method != ZipMember.STORED && method != ZipMember.DEFLATED) {
      throw bad(
          "entry '%s' has compression method %s, but only stored and deflated entries are supported"
              .formatted(Printable.of(name), method));
    }
    Extra extra = extra(at + ZipEnd.SMALLEST_RECORD + nameLength, extraLength, name);
    long size = extra.instead(file.u32(at + 24, name));
    long packed = extra.instead(file.u32(at + 20, name));
    long header = extra.instead(file.u32(at + 42, name));
    if (size < 0 || packed < 0 || header < 0 || (method == ZipMember.STORED && size != packed)) {
      throw bad(
          "entry '%s' occupies %s bytes in the file but declares %s"
              .formatted(
                  Printable.of(name), Long.toUnsignedString(packed), Long.toUnsignedString(size)));
    }
    int crc = (int) file.u32(at + 16, name);
    return new ZipMember(name, flags, method, crc, packed, size, header, header);
  }

  /** Returns the name of an entry: some programs on Windows separate folders with backslashes. */
  static String name(byte[] raw, int flags) {
    return new String(raw, (flags & UTF_8_NAME) != 0 ? StandardCharsets.UTF_8 : CP437)
        .replace('\\', '/');
  }

  private void checkName(String name) {
    boolean outside =
        name.isEmpty()
            || name.startsWith("/")
            || name.indexOf('\0') >= 0
            || name.equals("..")
            || name.startsWith("../")
            || name.endsWith("/..")
            || name.contains("/../");
    if (outside) {
      throw bad("entry '%s' points outside the archive".formatted(Printable.of(name)));
    }
  }

  private void refuseTwins(List<ZipMember> members) {
    Set<String> seen = HashSet.newHashSet(members.size());
    for (ZipMember member : members) {
      if (!seen.add(member.name())) {
        throw bad("is a zip with two entries '%s'".formatted(Printable.of(member.name())));
      }
    }
  }

  /** Entries that share bytes would allow a small file to declare any amount of data. */
  private List<ZipMember> withLimits(List<ZipMember> members) {
    List<Integer> byHeader = new ArrayList<>();
    for (int i = 0; i < members.size(); i++) {
      byHeader.add(i);
    }
    byHeader.sort(Comparator.comparingLong(i -> members.get(i).header()));
    List<ZipMember> limited = new ArrayList<>(members);
    long next = end.offset();
    for (int i : byHeader.reversed()) {
      ZipMember member = members.get(i);
      // Written so that no declared value can overflow.
      if (member.packed() > next - LOCAL_BYTES - member.header()) {
        throw bad(
            "is a zip whose entry '%s' of %s bytes at offset %s overlaps the following data"
                .formatted(Printable.of(member.name()), member.packed(), member.header()));
      }
      limited.set(i, member.withLimit(next));
      next = member.header();
    }
    return limited;
  }

  /** The 64-bit numbers of an extra field, each of which is only present if needed. */
  private final class Extra {
    private final String name;
    private final long end;
    private long at;

    Extra(String name, long at, long end) {
      this.name = name;
      this.at = at;
      this.end = end;
    }

    /** Returns the number itself, or that of the extra field if it is too large. */
    long instead(long number) {
      if (number != IN_EXTRA) {
        return number;
      }
      if (at > end - Long.BYTES) {
        throw bad("entry '%s' lacks its 64-bit sizes".formatted(Printable.of(name)));
      }
      long value = file.i64(at, name);
      at += Long.BYTES;
      return value;
    }
  }

  private Extra extra(long start, int length, String name) {
    long at = start;
    while (at <= start + length - 4) {
      int bytes = file.u16(at + 2, name);
      if (file.u16(at, name) == EXTRA_64) {
        return new Extra(name, at + 4, Math.min(at + 4 + bytes, start + length));
      }
      at += 4 + bytes;
    }
    return new Extra(name, 0, 0);
  }

  private FileException bad(String what) {
    return new FileException(file.path(), what);
  }
}
