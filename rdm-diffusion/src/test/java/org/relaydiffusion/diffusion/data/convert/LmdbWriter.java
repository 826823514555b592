// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes an LMDB data file for tests: as many levels as its small pages need, values above a
 * quarter of a page on overflow pages. What it writes may be damaged afterwards.
 */
final class LmdbWriter {
  static final int PAGE = 512;
  private static final int HEADER = 16;
  private static final int BRANCH = 1;
  private static final int LEAF = 2;
  private static final int OVERFLOW = 4;

  private final List<ByteBuffer> pages = new ArrayList<>();

  /** A page of the tree with the first key on it. */
  private record Child(byte[] key, long page) {}

  private record Node(byte[] key, int low, int high, int flags, byte[] data) {
    int size() {
      return 8 + key.length + data.length + ((key.length + data.length) & 1);
    }
  }

  /** The content of data.mdb for these values, by their keys. */
  static byte[] file(Map<String, byte[]> values) {
    return new LmdbWriter().write(values);
  }

  static void write(Path file, Map<String, byte[]> values) {
    try {
      Files.write(file, file(values));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @SuppressWarnings("ByteBufferBackingArray") // Allocated here, and whole.
  private byte[] write(Map<String, byte[]> values) {
    page(0);
    page(0);
    List<Node> leaves = new ArrayList<>();
    new TreeMap<>(values).forEach((key, value) -> leaves.add(leaf(key, value)));
    int depth = 0;
    long root = -1;
    if (!leaves.isEmpty()) {
      List<Child> level = level(leaves, LEAF);
      depth = 1;
      while (level.size() > 1) {
        List<Node> branches = new ArrayList<>();
        for (Child child : level) {
          // The first key of a branch page is never looked at.
          byte[] key = branches.isEmpty() ? new byte[0] : child.key();
          branches.add(
              new Node(
                  key, (int) child.page() & 0xffff, (int) (child.page() >> 16), 0, new byte[0]));
        }
        level = level(branches, BRANCH);
        depth++;
      }
      root = level.getFirst().page();
    }
    meta(0, 7, -1, 0, 0);
    meta(1, 8, root, depth, values.size());
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    pages.forEach(page -> out.writeBytes(page.array()));
    return out.toByteArray();
  }

  private ByteBuffer page(int flags) {
    ByteBuffer page = ByteBuffer.allocate(PAGE).order(ByteOrder.LITTLE_ENDIAN);
    page.putLong(0, pages.size()).putShort(10, (short) flags);
    pages.add(page);
    return page;
  }

  private Node leaf(String name, byte[] value) {
    byte[] key = name.getBytes(StandardCharsets.UTF_8);
    int low = value.length & 0xffff;
    int high = value.length >> 16;
    if (value.length <= PAGE / 4) {
      return new Node(key, low, high, 0, value);
    }
    long first = pages.size();
    int count = Math.ceilDiv(HEADER + value.length, PAGE);
    page(OVERFLOW).putInt(12, count);
    for (int i = 1; i < count; i++) {
      page(0);
    }
    for (int i = 0; i < value.length; i++) {
      int at = HEADER + i;
      pages.get((int) first + at / PAGE).put(at % PAGE, value[i]);
    }
    byte[] number = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(first).array();
    return new Node(key, low, high, 1, number);
  }

  private List<Child> level(List<Node> nodes, int kind) {
    List<Child> children = new ArrayList<>();
    ByteBuffer page = page(kind);
    int lower = HEADER;
    int upper = PAGE;
    for (Node node : nodes) {
      if (upper - node.size() < lower + 2) {
        page = page(kind);
        lower = HEADER;
        upper = PAGE;
      }
      if (lower == HEADER) {
        children.add(new Child(node.key(), pages.size() - 1));
      }
      upper -= node.size();
      page.putShort(lower, (short) upper);
      lower += 2;
      page.putShort(upper, (short) node.low()).putShort(upper + 2, (short) node.high());
      page.putShort(upper + 4, (short) node.flags()).putShort(upper + 6, (short) node.key().length);
      page.put(upper + 8, node.key()).put(upper + 8 + node.key().length, node.data());
      page.putShort(12, (short) lower).putShort(14, (short) upper);
    }
    return children;
  }

  private void meta(int number, long transaction, long root, int depth, long entries) {
    ByteBuffer page = pages.get(number);
    page.putShort(10, (short) 8);
    page.putInt(16, 0xBEEFC0DE).putInt(20, 1);
    page.putInt(40, PAGE);
    page.putShort(88 + 6, (short) depth);
    page.putLong(88 + 32, entries).putLong(88 + 40, root);
    page.putLong(144, transaction);
  }
}
