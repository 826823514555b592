// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import java.util.Arrays;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.image.PictureBudget;

/**
 * The locations of the values of an LMDB file, in the order of their keys, found by traversing its
 * B+ tree from the root. A malicious file can cause neither an endless traversal, because no more
 * pages are visited than exist, nor an access outside the file, because every range is checked.
 */
final class LmdbValues {
  private static final int BRANCH = 0x01;
  private static final int LEAF = 0x02;
  private static final int OVERFLOW = 0x04;
  private static final int KINDS = 0x6f;
  private static final int BIG = 0x01;
  private static final int NODE_HEADER = 8;

  private final LmdbFile file;
  private final int most;
  private long[] offsets = new long[64];
  private int[] lengths = new int[64];
  private int size;
  private long pagesLeft;

  private LmdbValues(LmdbFile file, int most) {
    this.file = file;
    this.most = most;
    this.pagesLeft = file.pages();
  }

  /**
   * Traverses the tree.
   *
   * @param most maximum number of values to find
   * @throws FileException if the tree is damaged or of an unsupported kind
   */
  static LmdbValues of(LmdbFile file, int most) {
    LmdbValues values = new LmdbValues(file, most);
    if (file.depth() > 0) {
      values.page(file.root(), file.depth());
    }
    if (values.size < most && values.size != file.entries()) {
      throw values.damaged(
          "it declares %s entries, but has %s".formatted(file.entries(), values.size));
    }
    return values;
  }

  int size() {
    return size;
  }

  /** Returns the offset in the file of a value. */
  long offset(int index) {
    return offsets[index];
  }

  /** Returns the length of a value, which is inside the file. */
  int length(int index) {
    return lengths[index];
  }

  private void page(long number, int levels) {
    if (--pagesLeft < 0) {
      throw damaged("its tree contains a cycle");
    }
    long at = file.offset(number);
    int kind = file.map().u16(at + 10, "a page") & KINDS;
    int expected = levels > 1 ? BRANCH : LEAF;
    if (kind != expected) {
      throw damaged("page %s has the type 0x%x instead of 0x%x".formatted(number, kind, expected));
    }
    int lower = file.map().u16(at + 12, "a page");
    if (lower < LmdbFile.PAGE_HEADER || lower > file.pageSize() || lower % 2 != 0) {
      throw damaged("page %s ends its index at %s".formatted(number, lower));
    }
    int nodes = (lower - LmdbFile.PAGE_HEADER) / 2;
    for (int i = 0; i < nodes && size < most; i++) {
      int node = file.map().u16(at + LmdbFile.PAGE_HEADER + 2L * i, "a page's index");
      if (node < lower || node > file.pageSize() - NODE_HEADER) {
        throw damaged("page %s has an entry at %s".formatted(number, node));
      }
      if (levels > 1) {
        page(child(at + node), levels - 1);
      } else {
        value(number, at, node);
      }
    }
  }

  /** Returns the page number of a branch node, 48 bits. */
  private long child(long node) {
    long low = file.map().u32(node, "a branch");
    long high = file.map().u16(node + 4, "a branch");
    return low | high << 32;
  }

  private void value(long page, long at, int node) {
    long length = file.map().u32(at + node, "an entry");
    int flags = file.map().u16(at + node + 4, "an entry");
    long keyEnd = node + NODE_HEADER + (long) file.map().u16(at + node + 6, "an entry");
    if ((flags & ~BIG) != 0) {
      throw new FileException(
          file.map().path(), "is an LMDB file with nested databases, which is not supported");
    }
    if (length > PictureBudget.MOST_BYTES) {
      throw damaged("entry %s declares %s bytes".formatted(size, length));
    }
    boolean big = (flags & BIG) != 0;
    if (keyEnd + (big ? Long.BYTES : length) > file.pageSize()) {
      throw damaged("entry %s extends beyond page %s".formatted(size, page));
    }
    add(big ? overflow(at + keyEnd, length) : at + keyEnd, (int) length);
  }

  /** A value that is too large for its page is stored on overflow pages. */
  private long overflow(long node, long length) {
    long number = file.map().i64(node, "an entry");
    long at = file.offset(number);
    int kind = file.map().u16(at + 10, "a page") & KINDS;
    long room = file.map().u32(at + 12, "a page") * file.pageSize() - LmdbFile.PAGE_HEADER;
    if (kind != OVERFLOW || length > room) {
      throw damaged(
          "entry %s declares %s bytes on page %s, which is not an overflow page"
              .formatted(size, length, number));
    }
    return at + LmdbFile.PAGE_HEADER;
  }

  private void add(long offset, int length) {
    if (offset + length > file.map().size()) {
      throw damaged("entry %s extends beyond the end of the file: it is truncated".formatted(size));
    }
    if (size == offsets.length) {
      offsets = Arrays.copyOf(offsets, size * 2);
      lengths = Arrays.copyOf(lengths, size * 2);
    }
    offsets[size] = offset;
    lengths[size++] = length;
  }

  private FileException damaged(String what) {
    return LmdbFile.damaged(file.map().path(), what);
  }
}
