package org.relaydiffusion.checkpoint.archive;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.io.MappedFile;

/**
 * Where a zip archive's central directory lies.
 *
 * @param offset of its first record in the file
 * @param size in bytes
 * @param entries the number of records
 */
record ZipDirectory(long offset, long size, long entries) {
  private static final long END = 0x06054b50L;
  private static final long END_64 = 0x06064b50L;
  private static final long LOCATOR_64 = 0x07064b50L;
  private static final int END_BYTES = 22;
  private static final int END_64_BYTES = 56;
  private static final int LOCATOR_BYTES = 20;
  private static final int LONGEST_COMMENT = 0xffff;
  private static final int SMALLEST_RECORD = 46;
  private static final long MOST_ENTRIES = 1_000_000;

  static ZipDirectory find(CheckpointFile archive) {
    MappedFile file = archive.file();
    long end = findEnd(archive);
    ZipDirectory found = directory64(archive, end);
    if (found == null) {
      found =
          new ZipDirectory(
              file.u32(end + 16, "the directory's offset"),
              file.u32(end + 12, "the directory's size"),
              file.u16(end + 10, "the number of entries"));
    }
    if (found.offset < 0 || found.size < 0 || found.size > end - found.offset) {
      throw archive.bad(
          "is a zip whose directory of %s bytes at offset %s lies outside the file"
              .formatted(Long.toUnsignedString(found.size), Long.toUnsignedString(found.offset)));
    }
    long most = Math.min(MOST_ENTRIES, found.size / SMALLEST_RECORD);
    if (found.entries < 0 || found.entries > most) {
      throw archive.bad(
          "is a zip that claims %s entries in a directory of %s bytes"
              .formatted(Long.toUnsignedString(found.entries), found.size));
    }
    return found;
  }

  private static long findEnd(CheckpointFile archive) {
    MappedFile file = archive.file();
    long last = file.size() - END_BYTES;
    for (long at = last; at >= 0 && at >= last - LONGEST_COMMENT; at--) {
      if (file.u32(at, "the zip's end") == END
          && file.u16(at + 20, "the comment's length") == last - at) {
        return at;
      }
    }
    throw archive.bad("is a zip without its end: the file is cut off or damaged");
  }

  /** The directory by its 64-bit record, or null when the archive has none. */
  private static @Nullable ZipDirectory directory64(CheckpointFile archive, long end) {
    MappedFile file = archive.file();
    long locator = end - LOCATOR_BYTES;
    if (locator < 0 || file.u32(locator, "the zip64 locator") != LOCATOR_64) {
      return null;
    }
    long record = file.i64(locator + 8, "the zip64 end's offset");
    if (record < 0 || record > locator - END_64_BYTES || file.u32(record, "it") != END_64) {
      throw archive.bad(
          "is a zip whose zip64 record at %s is missing".formatted(Long.toUnsignedString(record)));
    }
    return new ZipDirectory(
        file.i64(record + 48, "the directory's offset"),
        file.i64(record + 40, "the directory's size"),
        file.i64(record + 32, "the number of entries"));
  }
}
