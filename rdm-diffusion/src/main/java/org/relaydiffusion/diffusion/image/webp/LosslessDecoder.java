// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image.webp;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;

/** Decodes a VP8L frame: the lossless kind of WebP (RFC 9649, section 3). */
final class LosslessDecoder {
  private static final int HEADER = 5;
  private static final int SIGNATURE = 0x2f;
  private static final int CACHE_BITS = 11;
  private static final int CACHE_FACTOR = 0x1e35a7bd;

  /**
   * The maximum size of all code tables; encoders write at most some thousand groups of codes, with
   * 2,000 entries each.
   */
  private static final int MOST_ENTRIES = 1 << 24;

  /** The neighbours addressed by short distances: rows above in the high bits, 8 - columns left. */
  private static final int[] NEIGHBOURS = {
    0x18, 0x07, 0x17, 0x19, 0x28, 0x06, 0x27, 0x29, 0x16, 0x1a, 0x26, 0x2a, 0x38, 0x05, 0x37,
    0x39, 0x15, 0x1b, 0x36, 0x3a, 0x25, 0x2b, 0x48, 0x04, 0x47, 0x49, 0x14, 0x1c, 0x35, 0x3b,
    0x46, 0x4a, 0x24, 0x2c, 0x58, 0x45, 0x4b, 0x34, 0x3c, 0x03, 0x57, 0x59, 0x13, 0x1d, 0x56,
    0x5a, 0x23, 0x2d, 0x44, 0x4c, 0x55, 0x5b, 0x33, 0x3d, 0x68, 0x02, 0x67, 0x69, 0x12, 0x1e,
    0x66, 0x6a, 0x22, 0x2e, 0x54, 0x5c, 0x43, 0x4d, 0x65, 0x6b, 0x32, 0x3e, 0x78, 0x01, 0x77,
    0x79, 0x53, 0x5d, 0x11, 0x1f, 0x64, 0x6c, 0x42, 0x4e, 0x76, 0x7a, 0x21, 0x2f, 0x75, 0x7b,
    0x31, 0x3f, 0x63, 0x6d, 0x52, 0x5e, 0x00, 0x74, 0x7c, 0x41, 0x4f, 0x10, 0x20, 0x62, 0x6e,
    0x30, 0x73, 0x7d, 0x51, 0x5f, 0x40, 0x72, 0x7e, 0x61, 0x6f, 0x50, 0x71, 0x7f, 0x60, 0x70,
  };

  private final BitReader in;
  private final Path file;

  private LosslessDecoder(byte[] bytes, int from, int end, Path file) {
    this.in = new BitReader(bytes, from + HEADER, end);
    this.file = file;
  }

  /** Rejects a frame without the VP8L signature. */
  static void checkSignature(byte[] bytes, int from, int end, Path file) {
    if (end - from < HEADER || bytes[from] != SIGNATURE || (bytes[from + 4] >> 5) != 0) {
      throw new FileException(file, "is a damaged WebP image: its frame has no signature");
    }
  }

  /** Returns the declared width of a frame. */
  static int width(byte[] bytes, int from) {
    return 1 + ((bytes[from + 1] & 0xff) | (bytes[from + 2] & 0x3f) << 8);
  }

  /** Returns the declared height of a frame. */
  static int height(byte[] bytes, int from) {
    return 1
        + ((bytes[from + 2] & 0xff) >> 6
            | (bytes[from + 3] & 0xff) << 2
            | (bytes[from + 4] & 0x0f) << 10);
  }

  /**
   * Decodes a frame.
   *
   * @param bytes the file
   * @param from offset of the frame, which {@link #checkSignature} has accepted
   * @param end offset after its end
   * @return RGB [H, W, 3], without alpha
   * @throws FileException if it is damaged or truncated
   */
  static byte[] decode(byte[] bytes, int from, int end, Path file) {
    int[] argb =
        new LosslessDecoder(bytes, from, end, file).decode(width(bytes, from), height(bytes, from));
    byte[] rgb = new byte[3 * argb.length];
    for (int i = 0; i < argb.length; i++) {
      rgb[3 * i] = (byte) (argb[i] >> 16);
      rgb[3 * i + 1] = (byte) (argb[i] >> 8);
      rgb[3 * i + 2] = (byte) argb[i];
    }
    return rgb;
  }

  private int[] decode(int width, int height) {
    Deque<LosslessTransform> transforms = new ArrayDeque<>();
    Set<LosslessTransform.Kind> seen = EnumSet.noneOf(LosslessTransform.Kind.class);
    int packed = width;
    while (in.flag()) {
      LosslessTransform transform = readTransform(packed, height);
      if (!seen.add(transform.kind())) {
        throw damaged("it has a transform twice");
      }
      transforms.push(transform);
      packed = transform.packedWidth();
    }
    int[] argb = readImage(packed, height, true);
    for (LosslessTransform transform : transforms) {
      argb = transform.undo(argb, height);
    }
    return argb;
  }

  private LosslessTransform readTransform(int width, int height) {
    return switch (in.number(2)) {
      case 0 -> readParts(LosslessTransform.Kind.PREDICTOR, width, height);
      case 1 -> readParts(LosslessTransform.Kind.COLOUR, width, height);
      case 2 -> new LosslessTransform(LosslessTransform.Kind.SUBTRACT_GREEN, width, 0, new int[0]);
      default -> LosslessTransform.palette(width, readImage(1 + in.number(8), 1, false));
    };
  }

  /** Reads a transform that varies over the image. */
  private LosslessTransform readParts(LosslessTransform.Kind kind, int width, int height) {
    int bits = 2 + in.number(3);
    int[] data = readImage(parts(width, bits), parts(height, bits), false);
    return new LosslessTransform(kind, width, bits, data);
  }

  static int parts(int size, int bits) {
    return (size + (1 << bits) - 1) >> bits;
  }

  /** Reads an image; only the outermost one may have several groups of codes. */
  private int[] readImage(int width, int height, boolean isOutermost) {
    int cacheBits = in.flag() ? in.number(4) : 0;
    if (cacheBits > CACHE_BITS) {
      throw damaged("its colour cache has %s bits".formatted(cacheBits));
    }
    int cacheSize = cacheBits == 0 ? 0 : 1 << cacheBits;
    int bits = 0;
    int[] groupOf = {0};
    int count = 1;
    if (isOutermost && in.flag()) {
      bits = 2 + in.number(3);
      groupOf = readImage(parts(width, bits), parts(height, bits), false);
      for (int i = 0; i < groupOf.length; i++) {
        groupOf[i] = groupOf[i] >> 8 & 0xffff;
        count = Math.max(count, groupOf[i] + 1);
      }
    }
    CodeGroup[] groups = readGroups(count, groupOf, cacheSize);
    int[] argb = new int[width * height];
    int[] cache = new int[cacheSize];
    readPixels(argb, width, new Groups(groups, groupOf, bits, parts(width, bits)), cache);
    return argb;
  }

  /** Returns the groups of codes of the parts of the image. */
  private static final class Groups {
    private final CodeGroup[] groups;
    private final int[] of;
    private final int bits;
    private final int columns;

    Groups(CodeGroup[] groups, int[] of, int bits, int columns) {
      this.groups = groups;
      this.of = of;
      this.bits = bits;
      this.columns = columns;
    }

    CodeGroup at(int x, int y) {
      return bits == 0 ? groups[of[0]] : groups[of[(y >> bits) * columns + (x >> bits)]];
    }
  }

  /** Reads all groups, and keeps those that are used. */
  private CodeGroup[] readGroups(int count, int[] used, int cacheSize) {
    boolean[] isUsed = new boolean[count];
    for (int group : used) {
      isUsed[group] = true;
    }
    CodeGroup[] groups = new CodeGroup[count];
    long entries = 0;
    for (int i = 0; i < count; i++) {
      @Nullable CodeGroup group = CodeGroup.read(in, cacheSize);
      if (group == null || in.isPastEnd()) {
        throw damaged("its codes of group %s of %s are invalid".formatted(i, count));
      }
      if (isUsed[i]) {
        groups[i] = group;
        entries += group.entries();
      }
      if (entries > MOST_ENTRIES) {
        throw damaged("its code tables exceed the maximum size");
      }
    }
    return groups;
  }

  private void readPixels(int[] argb, int width, Groups groups, int[] cache) {
    int cacheShift = 32 - Integer.numberOfTrailingZeros(Math.max(2, cache.length));
    int mask = groups.bits == 0 ? -1 : (1 << groups.bits) - 1;
    int cached = 0;
    int at = 0;
    int x = 0;
    int y = 0;
    CodeGroup group = groups.at(0, 0);
    while (at < argb.length) {
      if ((x & mask) == 0) {
        group = groups.at(x, y);
      }
      int symbol = group.green().read(in);
      if (symbol < CodeGroup.VALUES) {
        int red = group.red().read(in);
        int blue = group.blue().read(in);
        int alpha = group.alpha().read(in);
        argb[at++] = alpha << 24 | red << 16 | symbol << 8 | blue;
        x++;
      } else if (symbol < CodeGroup.VALUES + CodeGroup.LENGTHS) {
        int length = readPrefixed(symbol - CodeGroup.VALUES);
        int distance = distance(readPrefixed(group.distance().read(in)), width);
        if (distance > at || length > argb.length - at) {
          throw damaged("it repeats pixels outside the image");
        }
        for (int i = 0; i < length; i++) {
          argb[at + i] = argb[at + i - distance];
        }
        at += length;
        y += (x + length) / width;
        x = (x + length) % width;
        if (at < argb.length) {
          // The pixel after the repetition may be in another part.
          group = groups.at(x, y);
        }
      } else {
        for (; cached < at; cached++) {
          cache[(argb[cached] * CACHE_FACTOR) >>> cacheShift] = argb[cached];
        }
        argb[at++] = cache[symbol - CodeGroup.VALUES - CodeGroup.LENGTHS];
        x++;
      }
      if (in.isPastEnd()) {
        throw damaged("its data end at pixel %s of %s".formatted(at, argb.length));
      }
      if (x == width) {
        y++;
        x = 0;
      }
    }
  }

  /** Reads a length or a distance: its prefix determines the number of following bits. */
  private int readPrefixed(int prefix) {
    if (prefix < 4) {
      return prefix + 1;
    }
    int bits = (prefix - 2) >> 1;
    return ((2 + (prefix & 1)) << bits) + in.number(bits) + 1;
  }

  /** Returns the distance in pixels of a distance code. */
  private static int distance(int code, int width) {
    if (code > NEIGHBOURS.length) {
      return code - NEIGHBOURS.length;
    }
    int neighbour = NEIGHBOURS[code - 1];
    return Math.max(1, (neighbour >> 4) * width + 8 - (neighbour & 0xf));
  }

  private FileException damaged(String what) {
    return new FileException(file, "is a damaged WebP image: " + what);
  }
}
