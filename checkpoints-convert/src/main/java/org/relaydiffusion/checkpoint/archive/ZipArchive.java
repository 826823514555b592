package org.relaydiffusion.checkpoint.archive;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.relaydiffusion.Printable;
import org.relaydiffusion.io.MappedFile;

/**
 * The entries of a mapped zip archive. Both records of each entry, in the directory and before its
 * bytes, must agree; compressed and encrypted entries are refused, as torch writes neither, but for
 * the text of programs, which it compresses and which nothing here reads.
 */
final class ZipArchive {
  /** The folder, below the archive's own, where a TorchScript archive has its program. */
  static final String CODE = "code/";

  private static final long DIRECTORY_RECORD = 0x02014b50L;
  private static final long LOCAL_RECORD = 0x04034b50L;
  private static final int DIRECTORY_BYTES = 46;
  private static final int LOCAL_BYTES = 30;
  private static final int ENCRYPTED = 1;
  private static final int SIZES_FOLLOW = 8;
  private static final long IN_EXTRA = 0xffff_ffffL;
  private static final int EXTRA_64 = 1;
  private static final int STORED = 0;
  private static final int DEFLATED = 8;

  private final CheckpointFile archive;
  private final MappedFile file;

  private ZipArchive(CheckpointFile archive) {
    this.archive = archive;
    this.file = archive.file();
  }

  /** What the directory says of an entry; packed is what its bytes take in the file. */
  private record Claim(
      String name, int flags, int method, int crc, long packed, long size, long header, long end) {}

  /** The archive's entries by name, in the directory's order. Nothing of them is read yet. */
  static Map<String, ZipEntry> entries(CheckpointFile archive) {
    return new ZipArchive(archive).entries();
  }

  private Map<String, ZipEntry> entries() {
    ZipDirectory directory = ZipDirectory.find(archive);
    List<Claim> claims = new ArrayList<>();
    long at = directory.offset();
    for (long i = 0; i < directory.entries(); i++) {
      Claim claim = claim(at, directory.offset() + directory.size());
      claims.add(claim);
      at = claim.end();
    }
    if (at != directory.offset() + directory.size()) {
      throw archive.bad(
          "is a zip whose directory has more than the %s entries claimed"
              .formatted(directory.entries()));
    }
    Map<String, ZipEntry> entries = new LinkedHashMap<>();
    List<long[]> ranges = new ArrayList<>();
    for (Claim claim : claims) {
      long start = dataStart(claim);
      ranges.add(new long[] {claim.header(), start + claim.packed()});
      ZipEntry entry =
          new ZipEntry(claim.name(), file.slice(start, claim.packed(), quoted(claim)), claim.crc());
      if (entries.put(claim.name(), entry) != null) {
        throw archive.bad("is a zip with two entries %s".formatted(quoted(claim)));
      }
    }
    checkOverlap(ranges, directory.offset());
    return Collections.unmodifiableMap(entries);
  }

  private Claim claim(long at, long limit) {
    if (at > limit - DIRECTORY_BYTES || file.u32(at, "a zip record") != DIRECTORY_RECORD) {
      throw archive.bad("is a zip with a broken directory at offset %s".formatted(at));
    }
    int nameLength = file.u16(at + 28, "a name's length");
    int extraLength = file.u16(at + 30, "an extra field's length");
    long end = at + DIRECTORY_BYTES + nameLength + extraLength + file.u16(at + 32, "a comment");
    if (end > limit) {
      throw archive.bad("is a zip with a broken directory at offset %s".formatted(at));
    }
    String name =
        CheckpointFile.ascii(file.slice(at + DIRECTORY_BYTES, nameLength, "an entry's name"));
    int flags = file.u16(at + 8, name);
    int method = file.u16(at + 10, name);
    checkKind(name, flags, method);
    long packed = file.u32(at + 20, name);
    long size = file.u32(at + 24, name);
    long header = file.u32(at + 42, name);
    Extra extra = extra(at + DIRECTORY_BYTES + nameLength, extraLength, name);
    size = size == IN_EXTRA ? extra.next(name) : size;
    packed = packed == IN_EXTRA ? extra.next(name) : packed;
    header = header == IN_EXTRA ? extra.next(name) : header;
    if ((packed != size && method == STORED) || packed < 0 || size < 0 || header < 0) {
      throw archive.bad(
          "entry '%s' takes %s bytes in the file but claims %s"
              .formatted(
                  Printable.of(name), Long.toUnsignedString(packed), Long.toUnsignedString(size)));
    }
    int crc = (int) file.u32(at + 16, name);
    return new Claim(name, flags, method, crc, packed, size, header, end);
  }

  private void checkKind(String name, int flags, int method) {
    if ((flags & ENCRYPTED) != 0) {
      throw archive.bad("entry '%s' is encrypted".formatted(Printable.of(name)));
    }
    if (method != STORED && !(method == DEFLATED && isProgram(name))) {
      throw archive.bad(
          "entry '%s' is compressed (method %s): unpack the file and save it again"
              .formatted(Printable.of(name), method));
    }
    boolean outside =
        name.startsWith("/")
            || name.contains("\\")
            || name.contains(":")
            || List.of(name.split("/", -1)).contains("..");
    if (outside) {
      throw archive.bad("entry '%s' points outside the archive".formatted(Printable.of(name)));
    }
  }

  private static boolean isProgram(String name) {
    return name.startsWith(CODE, name.indexOf('/') + 1);
  }

  /** The 64-bit numbers of the extra field, of which each is there only when it is needed. */
  private final class Extra {
    private long at;
    private final long end;

    Extra(long at, long end) {
      this.at = at;
      this.end = end;
    }

    long next(String name) {
      if (at > end - Long.BYTES) {
        throw archive.bad("entry '%s' lacks its 64-bit sizes".formatted(Printable.of(name)));
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
        return new Extra(at + 4, Math.min(at + 4 + bytes, start + length));
      }
      at += 4 + bytes;
    }
    return new Extra(0, 0);
  }

  private long dataStart(Claim claim) {
    long at = claim.header();
    String what = quoted(claim);
    if (file.u32(at, what) != LOCAL_RECORD) {
      throw archive.bad("entry %s has no header at offset %s".formatted(what, at));
    }
    int nameLength = file.u16(at + 26, what);
    String name = CheckpointFile.ascii(file.slice(at + LOCAL_BYTES, nameLength, what));
    int flags = file.u16(at + 6, what);
    boolean agree =
        name.equals(claim.name())
            && file.u16(at + 8, what) == claim.method()
            && (flags & ENCRYPTED) == 0
            && (flags & SIZES_FOLLOW) == (claim.flags() & SIZES_FOLLOW);
    if (agree && (flags & SIZES_FOLLOW) == 0) {
      long size = file.u32(at + 22, what);
      agree =
          (size == IN_EXTRA || size == claim.size())
              && (int) file.u32(at + 14, what) == claim.crc();
    }
    if (!agree) {
      throw archive.bad(
          "entry %s says one thing in the directory, another at its bytes".formatted(what));
    }
    return at + LOCAL_BYTES + nameLength + file.u16(at + 28, what);
  }

  /** Entries that share bytes would let a small file claim any amount. */
  private void checkOverlap(List<long[]> ranges, long directory) {
    ranges.sort(Comparator.comparingLong(r -> r[0]));
    long at = 0;
    for (long[] range : ranges) {
      if (range[0] < at) {
        throw archive.bad("is a zip with two entries on the same bytes at %s".formatted(range[0]));
      }
      at = range[1];
    }
    if (at > directory) {
      throw archive.bad("is a zip with an entry that reaches into the directory");
    }
  }

  private static String quoted(Claim claim) {
    return "'" + Printable.of(claim.name()) + "'";
  }
}
