// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image.webp;

import java.util.Arrays;

/** A transform applied by a VP8L encoder, and its inverse (RFC 9649, section 3.5). */
final class LosslessTransform {
  private static final int BLACK = 0xff000000;

  private final Kind kind;
  private final int width;
  private final int bits;
  private final int[] data;

  /**
   * Creates a transform.
   *
   * @param kind of the transform
   * @param width of the image after the inverse transform
   * @param bits the size of its parts, or the number of palette indices per pixel, as a power of
   *     two
   * @param data its parameters: an image of modes or factors, or the palette
   */
  LosslessTransform(Kind kind, int width, int bits, int[] data) {
    this.kind = kind;
    this.width = width;
    this.bits = bits;
    this.data = data;
  }

  /** The kinds, each of which occurs at most once in an image. */
  enum Kind {
    PREDICTOR,
    COLOUR,
    SUBTRACT_GREEN,
    PALETTE
  }

  /**
   * Creates a palette; with few colours, several indices are packed into one pixel.
   *
   * @param differences each from the previous colour
   */
  static LosslessTransform palette(int width, int[] differences) {
    int count = differences.length;
    int bits = count > 16 ? 0 : count > 4 ? 1 : count > 2 ? 2 : 3;
    // Indices beyond the palette are transparent black.
    int[] colours = Arrays.copyOf(differences, 1 << (8 >> bits));
    for (int i = 1; i < count; i++) {
      colours[i] = Predictor.sum(colours[i], colours[i - 1]);
    }
    return new LosslessTransform(Kind.PALETTE, width, bits, colours);
  }

  Kind kind() {
    return kind;
  }

  /** Returns the width of the image before the inverse transform. */
  int packedWidth() {
    return kind == Kind.PALETTE ? LosslessDecoder.parts(width, bits) : width;
  }

  /**
   * Applies the inverse transform.
   *
   * @param argb the image, which is modified
   * @return the image, in the same array if its size is unchanged
   */
  int[] undo(int[] argb, int height) {
    switch (kind) {
      case PREDICTOR -> addPredictions(argb, height);
      case COLOUR -> addColours(argb, height);
      case SUBTRACT_GREEN -> addGreen(argb);
      case PALETTE -> {
        return lookUp(argb, height);
      }
    }
    return argb;
  }

  private void addPredictions(int[] argb, int height) {
    argb[0] = Predictor.sum(argb[0], BLACK);
    for (int x = 1; x < width; x++) {
      argb[x] = Predictor.sum(argb[x], argb[x - 1]);
    }
    int columns = LosslessDecoder.parts(width, bits);
    for (int y = 1; y < height; y++) {
      int row = y * width;
      argb[row] = Predictor.sum(argb[row], argb[row - width]);
      for (int x = 1; x < width; ) {
        int mode = data[(y >> bits) * columns + (x >> bits)] >> 8 & 0xf;
        int end = Math.min(width, ((x >> bits) + 1) << bits);
        Predictor.add(mode, argb, row + x, row + end, width);
        x = end;
      }
    }
  }

  private void addColours(int[] argb, int height) {
    int columns = LosslessDecoder.parts(width, bits);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int factors = data[(y >> bits) * columns + (x >> bits)];
        int colour = argb[y * width + x];
        int green = (byte) (colour >> 8);
        int red = (colour >> 16) + (((byte) factors * green) >> 5) & 0xff;
        int blue = colour + (((byte) (factors >> 8) * green) >> 5);
        blue = blue + (((byte) (factors >> 16) * (byte) red) >> 5) & 0xff;
        argb[y * width + x] = (colour & 0xff00ff00) | red << 16 | blue;
      }
    }
  }

  private static void addGreen(int[] argb) {
    for (int i = 0; i < argb.length; i++) {
      int green = argb[i] >> 8 & 0xff;
      int redAndBlue = (argb[i] & 0xff00ff) + green * 0x10001 & 0xff00ff;
      argb[i] = (argb[i] & 0xff00ff00) | redAndBlue;
    }
  }

  private int[] lookUp(int[] argb, int height) {
    int packed = packedWidth();
    int bitsAPixel = 8 >> bits;
    int[] out = bits == 0 ? argb : new int[width * height];
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        int index = argb[y * packed + (x >> bits)] >> 8 & 0xff;
        int within = (x & (1 << bits) - 1) * bitsAPixel;
        out[y * width + x] = data[index >> within & (1 << bitsAPixel) - 1];
      }
    }
    return out;
  }
}
