// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image.webp;

import java.nio.file.Path;
import org.relaydiffusion.FileException;

/**
 * The header of a VP8 key frame (RFC 6386, section 9): the positions of its partitions, the
 * quantization and filtering of its macroblocks, and the probabilities of the following data. The
 * modes of the macroblocks follow in the same partition.
 */
final class FrameHeader {
  private static final int TAG = 3;
  private static final int START = 10;
  private static final int SEGMENTS = 4;
  private static final int NEVER_SKIPPED = -1;

  private final Path file;
  private final BoolDecoder in;
  private final BoolDecoder[] partitions;
  private final boolean hasSegmentMap;
  private final int[] segmentProbabilities = {255, 255, 255};
  private final Quantizer[] quantizers = new Quantizer[SEGMENTS];
  private final FilterStrength[][] strengths = new FilterStrength[SEGMENTS][2];
  private final boolean isSimpleFilter;
  private final int[] coefficients;
  private final int skipProbability;

  /**
   * Reads a header.
   *
   * @param bytes the file
   * @param from offset of the frame
   * @param end offset after its end
   */
  FrameHeader(byte[] bytes, int from, int end, Path file) {
    this.file = file;
    checkTag(bytes, from, end, file);
    int partition = u24(bytes, from) >> 5;
    int first = from + START;
    if (partition > end - first) {
      throw damaged("it is truncated in its first partition");
    }
    in = new BoolDecoder(bytes, first, first + partition);
    // The colour space and whether clamping is needed: neither has an effect here.
    in.number(2);
    Segments segments = readSegments();
    hasSegmentMap = segments.hasMap;
    isSimpleFilter = in.flag();
    readFilter(segments);
    partitions = readPartitions(bytes, first + partition, end);
    readQuantizers(segments);
    // Whether the probabilities are kept after the frame.
    in.flag();
    coefficients = CoefficientTables.read(in);
    skipProbability = in.flag() ? in.number(8) : NEVER_SKIPPED;
  }

  /** Reads the settings of the four segments. */
  private static final class Segments {
    private boolean isUsed;
    private boolean hasMap;
    private boolean isAbsolute = true;
    private final int[] quantizers = new int[SEGMENTS];
    private final int[] levels = new int[SEGMENTS];
  }

  /** Rejects anything except a key frame that is shown. */
  static void checkTag(byte[] bytes, int from, int end, Path file) {
    if (end - from < START
        || (bytes[from + TAG] & 0xff) != 0x9d
        || bytes[from + TAG + 1] != 1
        || bytes[from + TAG + 2] != 0x2a) {
      throw new FileException(file, "is a damaged WebP image: its frame has no start code");
    }
    int tag = u24(bytes, from);
    if ((tag & 1) != 0 || (tag >> 1 & 7) > 3 || (tag >> 4 & 1) == 0) {
      throw new FileException(file, "is a damaged WebP image: its frame is not a key frame");
    }
  }

  /** Returns the declared width of a frame. */
  static int width(byte[] bytes, int from) {
    return u16(bytes, from + TAG + 3) & 0x3fff;
  }

  /** Returns the declared height of a frame. */
  static int height(byte[] bytes, int from) {
    return u16(bytes, from + TAG + 5) & 0x3fff;
  }

  private static int u16(byte[] bytes, int at) {
    return (bytes[at] & 0xff) | (bytes[at + 1] & 0xff) << 8;
  }

  private static int u24(byte[] bytes, int at) {
    return u16(bytes, at) | (bytes[at + 2] & 0xff) << 16;
  }

  private Segments readSegments() {
    Segments segments = new Segments();
    segments.isUsed = in.flag();
    if (!segments.isUsed) {
      return segments;
    }
    segments.hasMap = in.flag();
    if (in.flag()) {
      segments.isAbsolute = in.flag();
      for (int i = 0; i < SEGMENTS; i++) {
        segments.quantizers[i] = in.optionalSigned(7);
      }
      for (int i = 0; i < SEGMENTS; i++) {
        segments.levels[i] = in.optionalSigned(6);
      }
    }
    if (segments.hasMap) {
      for (int i = 0; i < segmentProbabilities.length; i++) {
        segmentProbabilities[i] = in.flag() ? in.number(8) : 255;
      }
    }
    return segments;
  }

  private void readFilter(Segments segments) {
    int level = in.number(6);
    int sharpness = in.number(3);
    boolean hasDeltas = in.flag();
    int[] deltas = new int[8];
    if (hasDeltas && in.flag()) {
      for (int i = 0; i < deltas.length; i++) {
        deltas[i] = in.optionalSigned(6);
      }
    }
    // A frame level of zero disables the filter, regardless of the segments.
    if (level == 0) {
      return;
    }
    for (int segment = 0; segment < SEGMENTS; segment++) {
      int base = segments.isUsed ? segments.levels[segment] : level;
      if (segments.isUsed && !segments.isAbsolute) {
        base += level;
      }
      // All macroblocks are intra-coded, so the first delta applies to all, and the fifth to 4 x 4
      // blocks.
      int delta = hasDeltas ? deltas[0] : 0;
      int small = hasDeltas ? deltas[4] : 0;
      strengths[segment][0] = FilterStrength.of(base + delta, sharpness);
      strengths[segment][1] = FilterStrength.of(base + delta + small, sharpness);
    }
  }

  private BoolDecoder[] readPartitions(byte[] bytes, int from, int end) {
    int count = 1 << in.number(2);
    int start = from + 3 * (count - 1);
    if (start >= end) {
      throw damaged("it is truncated before its coefficients");
    }
    BoolDecoder[] found = new BoolDecoder[count];
    for (int i = 0; i < count; i++) {
      int length = i < count - 1 ? u24(bytes, from + 3 * i) : end - start;
      int stop = start + Math.min(length, end - start);
      found[i] = new BoolDecoder(bytes, start, stop);
      start = stop;
    }
    return found;
  }

  private void readQuantizers(Segments segments) {
    int base = in.number(7);
    int[] deltas = new int[5];
    for (int i = 0; i < deltas.length; i++) {
      deltas[i] = in.optionalSigned(4);
    }
    for (int i = 0; i < SEGMENTS; i++) {
      int index = segments.isUsed ? segments.quantizers[i] : base;
      if (segments.isUsed && !segments.isAbsolute) {
        index += base;
      }
      quantizers[i] = Quantizer.of(index, deltas);
    }
  }

  /** Returns the partition of the header, positioned after it: the modes of the macroblocks. */
  BoolDecoder modes() {
    return in;
  }

  /** Returns the partition with the coefficients of a row of macroblocks. */
  BoolDecoder tokens(int row) {
    return partitions[row & (partitions.length - 1)];
  }

  /** Reads the segment of the next macroblock. */
  int readSegment() {
    if (!hasSegmentMap) {
      return 0;
    }
    return in.isSet(segmentProbabilities[0])
        ? 2 + in.bit(segmentProbabilities[2])
        : in.bit(segmentProbabilities[1]);
  }

  /** Reads whether the next macroblock has no coefficients. */
  boolean readSkip() {
    return skipProbability != NEVER_SKIPPED && in.isSet(skipProbability);
  }

  Quantizer quantizer(int segment) {
    return quantizers[segment];
  }

  /** Returns whether there is a loop filter. */
  boolean isFiltered() {
    return strengths[0][0] != null;
  }

  boolean isSimpleFilter() {
    return isSimpleFilter;
  }

  /** Returns the filter strength of a macroblock; only valid if there is a filter. */
  FilterStrength strength(int segment, boolean hasSmallBlocks) {
    return strengths[segment][hasSmallBlocks ? 1 : 0];
  }

  /** Returns the probabilities of the coefficients, in the layout of {@link CoefficientTables}. */
  int[] coefficients() {
    return coefficients;
  }

  private FileException damaged(String what) {
    return new FileException(file, "is a damaged WebP image: " + what);
  }
}
