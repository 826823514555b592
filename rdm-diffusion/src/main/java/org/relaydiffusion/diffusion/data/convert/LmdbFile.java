// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import java.nio.file.Path;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.MappedFile;

/**
 * The header of an LMDB data file (OpenLDAP's Lightning Memory-Mapped Database, format 1, written
 * on a 64-bit little-endian machine): two meta pages, of which the one with the newer transaction
 * is valid. Read-only; locks are ignored, so no process should be writing.
 *
 * @param map the file; the caller closes it
 * @param pageSize in bytes, a power of two
 * @param depth levels of the main tree, 0 if it is empty
 * @param entries declared number of entries
 * @param root page of the main tree's root
 * @param transaction number of the transaction that wrote it
 */
record LmdbFile(
    MappedFile map, int pageSize, int depth, long entries, long root, long transaction) {
  /** Bytes before a page's content. */
  static final int PAGE_HEADER = 16;

  private static final long MAGIC = 0xBEEFC0DEL;
  private static final int META_FLAG = 0x08;
  private static final int MAIN_TREE = PAGE_HEADER + 24 + 48;
  private static final int TRANSACTION = MAIN_TREE + 48 + 8;
  private static final int LARGEST_PAGE = 1 << 16;
  private static final int MOST_LEVELS = 32;

  /**
   * Reads the meta pages.
   *
   * @throws FileException if this is not an LMDB file
   */
  static LmdbFile of(MappedFile map) {
    long pageSize = map.u32(PAGE_HEADER + 24, "LMDB's page size");
    if (map.u32(PAGE_HEADER, "LMDB's magic number") != MAGIC) {
      throw new FileException(map.path(), "is not an LMDB file: wrong magic number");
    }
    if (pageSize < 256 || pageSize > LARGEST_PAGE || Long.bitCount(pageSize) != 1) {
      throw damaged(map.path(), "its page size is " + pageSize);
    }
    LmdbFile first = meta(map, 0, (int) pageSize);
    LmdbFile second = meta(map, pageSize, (int) pageSize);
    return second.transaction > first.transaction ? second : first;
  }

  private static LmdbFile meta(MappedFile map, long at, int pageSize) {
    int flags = map.u16(at + 10, "an LMDB meta page");
    long magic = map.u32(at + PAGE_HEADER, "an LMDB meta page");
    long version = map.u32(at + PAGE_HEADER + 4, "an LMDB meta page");
    if ((flags & META_FLAG) == 0 || magic != MAGIC) {
      throw damaged(map.path(), "there is no meta page at byte " + at);
    }
    if (version != 1) {
      throw new FileException(
          map.path(),
          "is an LMDB file of format %s, but only format 1 is supported".formatted(version));
    }
    int treeFlags = map.u16(at + MAIN_TREE + 4, "LMDB's main tree");
    int depth = map.u16(at + MAIN_TREE + 6, "LMDB's main tree");
    if (depth > MOST_LEVELS) {
      throw damaged(map.path(), "its tree declares %s levels".formatted(depth));
    }
    if ((treeFlags & 0x14) != 0) {
      throw new FileException(
          map.path(), "is an LMDB file with several values per key, which is not supported");
    }
    return new LmdbFile(
        map,
        pageSize,
        depth,
        map.i64(at + MAIN_TREE + 32, "LMDB's number of entries"),
        map.i64(at + MAIN_TREE + 40, "LMDB's root page"),
        map.i64(at + TRANSACTION, "LMDB's transaction"));
  }

  /** Returns the offset of a page; each access checks that it is inside the file. */
  long offset(long page) {
    if (page < 2 || page >= pages()) {
      throw damaged(map.path(), "it refers to page %s of %s".formatted(page, pages()));
    }
    return page * pageSize;
  }

  /** Returns the number of pages of the file, including a last incomplete one. */
  long pages() {
    return Math.ceilDiv(map.size(), (long) pageSize);
  }

  static FileException damaged(Path file, String what) {
    return new FileException(file, "is a damaged LMDB file: " + what);
  }
}
