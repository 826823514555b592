// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io.zip;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.MappedFile;

/**
 * The last record of a zip archive, which locates its directory.
 *
 * @param offset of the directory's first record in the file
 * @param size of the directory in bytes
 * @param members the number of records
 * @param comment offset of the archive's comment, which extends to the end of the file
 */
record ZipEnd(long offset, long size, int members, long comment) {
  static final int SMALLEST_RECORD = 46;
  private static final long END = 0x06054b50L;
  private static final long END_64 = 0x06064b50L;
  private static final long LOCATOR_64 = 0x07064b50L;
  private static final int END_BYTES = 22;
  private static final int END_64_BYTES = 56;
  private static final int LOCATOR_BYTES = 20;
  private static final int LONGEST_COMMENT = 0xffff;

  /**
   * Finds the record at the end of the file.
   *
   * @param mostMembers maximum number of entries
   * @throws FileException if it is missing, or declares more than the file can contain
   */
  static ZipEnd find(MappedFile file, int mostMembers) {
    long end = findEnd(file);
    long[] found = directory64(file, end);
    if (found == null) {
      found =
          new long[] {
            file.u32(end + 16, "the directory's offset"),
            file.u32(end + 12, "the directory's size"),
            file.u16(end + 10, "the number of entries")
          };
    }
    long offset = found[0];
    long size = found[1];
    long members = found[2];
    if (offset < 0 || size < 0 || size > end - offset) {
      throw new FileException(
          file.path(),
          "is a zip whose directory of %s bytes at offset %s is outside the file"
              .formatted(Long.toUnsignedString(size), Long.toUnsignedString(offset)));
    }
    if (members < 0 || members > Math.min(mostMembers, size / SMALLEST_RECORD)) {
      throw new FileException(
          file.path(),
          "is a zip that declares %s entries in a directory of %s bytes"
              .formatted(Long.toUnsignedString(members), size));
    }
    return new ZipEnd(offset, size, (int) members, end + END_BYTES);
  }

  private static long findEnd(MappedFile file) {
    long last = file.size() - END_BYTES;
    for (long at = last; at >= 0 && at >= last - LONGEST_COMMENT; at--) {
      if (file.u32(at, "the zip's end") == END
          && file.u16(at + 20, "the comment's length") == last - at) {
        return at;
      }
    }
    throw new FileException(
        file.path(), "is not a zip file, or is truncated: it has no directory at its end");
  }

  /** Returns offset, size and number of entries of the 64-bit record, or null if there is none. */
  private static long @Nullable [] directory64(MappedFile file, long end) {
    long locator = end - LOCATOR_BYTES;
    if (locator < 0 || file.u32(locator, "the zip64 locator") != LOCATOR_64) {
      return null;
    }
    long record = file.i64(locator + 8, "the zip64 end's offset");
    if (record < 0 || record > locator - END_64_BYTES || file.u32(record, "it") != END_64) {
      throw new FileException(
          file.path(),
          "is a zip whose zip64 record at %s is missing".formatted(Long.toUnsignedString(record)));
    }
    return new long[] {
      file.i64(record + 48, "the directory's offset"),
      file.i64(record + 40, "the directory's size"),
      file.i64(record + 32, "the number of entries")
    };
  }
}
