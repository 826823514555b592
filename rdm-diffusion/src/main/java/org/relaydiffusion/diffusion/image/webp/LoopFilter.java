// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image.webp;

/** Smooths the edges of blocks after all have been decoded (RFC 6386, section 15). */
final class LoopFilter {
  /** The threshold for edges of macroblocks is higher than for edges inside them. */
  private static final int OUTER = 4;

  private LoopFilter() {}

  /**
   * Filters the luma of a macroblock with the simple filter.
   *
   * @param y the luma plane
   * @param at the macroblock's first pixel in it
   * @param hasInner whether the edges inside the macroblock are filtered
   */
  static void simple(
      byte[] y, int at, int stride, FilterStrength strength, Edges edges, boolean hasInner) {
    int outer = 2 * (strength.limit() + OUTER) + 1;
    int inner = 2 * strength.limit() + 1;
    if (edges.hasLeft) {
      simpleEdge(y, at, 1, stride, outer);
    }
    for (int i = 4; hasInner && i < 16; i += 4) {
      simpleEdge(y, at + i, 1, stride, inner);
    }
    if (edges.hasAbove) {
      simpleEdge(y, at, stride, 1, outer);
    }
    for (int i = 4; hasInner && i < 16; i += 4) {
      simpleEdge(y, at + i * stride, stride, 1, inner);
    }
  }

  /**
   * The existing neighbours of a macroblock.
   *
   * @param hasLeft false in the first column
   * @param hasAbove false in the first row
   */
  record Edges(boolean hasLeft, boolean hasAbove) {}

  /**
   * Filters one plane of a macroblock with the normal filter.
   *
   * @param plane luma or chroma
   * @param at the macroblock's first pixel in it
   * @param size 16 or 8
   * @param hasInner whether the edges inside the macroblock are filtered
   */
  static void normal(
      byte[] plane,
      int at,
      int stride,
      int size,
      FilterStrength strength,
      Edges edges,
      boolean hasInner) {
    int outer = 2 * (strength.limit() + OUTER) + 1;
    int inner = 2 * strength.limit() + 1;
    if (edges.hasLeft) {
      edge(plane, at, 1, stride, size, outer, strength, true);
    }
    for (int i = 4; hasInner && i < size; i += 4) {
      edge(plane, at + i, 1, stride, size, inner, strength, false);
    }
    if (edges.hasAbove) {
      edge(plane, at, stride, 1, size, outer, strength, true);
    }
    for (int i = 4; hasInner && i < size; i += 4) {
      edge(plane, at + i * stride, stride, 1, size, inner, strength, false);
    }
  }

  private static void simpleEdge(byte[] p, int from, int across, int along, int limit) {
    for (int i = 0, at = from; i < 16; i++, at += along) {
      int p1 = p[at - 2 * across] & 0xff;
      int p0 = p[at - across] & 0xff;
      int q0 = p[at] & 0xff;
      int q1 = p[at + across] & 0xff;
      if (4 * Math.abs(p0 - q0) + Math.abs(p1 - q1) <= limit) {
        two(p, at, across, p1, p0, q0, q1);
      }
    }
  }

  private static void edge(
      byte[] p,
      int from,
      int across,
      int along,
      int length,
      int limit,
      FilterStrength strength,
      boolean isOuter) {
    int interior = strength.interior();
    int variance = strength.variance();
    for (int i = 0, at = from; i < length; i++, at += along) {
      int p1 = p[at - 2 * across] & 0xff;
      int p0 = p[at - across] & 0xff;
      int q0 = p[at] & 0xff;
      int q1 = p[at + across] & 0xff;
      if (4 * Math.abs(p0 - q0) + Math.abs(p1 - q1) > limit) {
        continue;
      }
      int p2 = p[at - 3 * across] & 0xff;
      int p3 = p[at - 4 * across] & 0xff;
      int q2 = p[at + 2 * across] & 0xff;
      int q3 = p[at + 3 * across] & 0xff;
      if (Math.abs(p3 - p2) > interior
          || Math.abs(p2 - p1) > interior
          || Math.abs(p1 - p0) > interior
          || Math.abs(q3 - q2) > interior
          || Math.abs(q2 - q1) > interior
          || Math.abs(q1 - q0) > interior) {
        continue;
      }
      if (Math.abs(p1 - p0) > variance || Math.abs(q1 - q0) > variance) {
        two(p, at, across, p1, p0, q0, q1);
      } else if (isOuter) {
        six(p, at, across, p2, p1, p0, q0, q1, q2);
      } else {
        four(p, at, across, p1, p0, q0, q1);
      }
    }
  }

  /** Modifies the two pixels at the edge. */
  private static void two(byte[] p, int at, int across, int p1, int p0, int q0, int q1) {
    int a = 3 * (q0 - p0) + signedByte(p1 - q1);
    set(p, at - across, p0 + fifth((a + 3) >> 3));
    set(p, at, q0 - fifth((a + 4) >> 3));
  }

  private static void four(byte[] p, int at, int across, int p1, int p0, int q0, int q1) {
    int a = 3 * (q0 - p0);
    int a1 = fifth((a + 4) >> 3);
    int a2 = fifth((a + 3) >> 3);
    int a3 = (a1 + 1) >> 1;
    set(p, at - 2 * across, p1 + a3);
    set(p, at - across, p0 + a2);
    set(p, at, q0 - a1);
    set(p, at + across, q1 - a3);
  }

  private static void six(
      byte[] p, int at, int across, int p2, int p1, int p0, int q0, int q1, int q2) {
    int a = signedByte(3 * (q0 - p0) + signedByte(p1 - q1));
    int a1 = (27 * a + 63) >> 7;
    int a2 = (18 * a + 63) >> 7;
    int a3 = (9 * a + 63) >> 7;
    set(p, at - 3 * across, p2 + a3);
    set(p, at - 2 * across, p1 + a2);
    set(p, at - across, p0 + a1);
    set(p, at, q0 - a1);
    set(p, at + across, q1 - a2);
    set(p, at + 2 * across, q2 - a3);
  }

  private static int signedByte(int value) {
    return Math.clamp(value, -128, 127);
  }

  private static int fifth(int value) {
    return Math.clamp(value, -16, 15);
  }

  private static void set(byte[] p, int at, int value) {
    p[at] = (byte) InverseTransform.clamped(value);
  }
}
