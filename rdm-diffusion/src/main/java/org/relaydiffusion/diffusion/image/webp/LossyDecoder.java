// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image.webp;

import java.nio.file.Path;
import java.util.Arrays;
import org.relaydiffusion.FileException;

/** Decodes a VP8 key frame: the lossy kind of WebP (RFC 6386). */
final class LossyDecoder {
  private static final int STRIDE = Prediction.STRIDE;

  /**
   * The positions of the blocks in the array in which a macroblock is reconstructed, with a border
   * around them.
   */
  private static final int LUMA = STRIDE + 8;

  private static final int BLUE = LUMA + 17 * STRIDE;
  private static final int RED = BLUE + 16;
  private static final int BEYOND = 127;
  private static final int BESIDE = 129;

  private final FrameHeader header;
  private final CoefficientReader coefficients;
  private final Path file;
  private final int columns;
  private final int rows;
  private final YuvPlanes planes;

  /** The macroblock being reconstructed, and the pixels around it. */
  private final int[] work = new int[BLUE + 8 * STRIDE + 8];

  /** The modes of 4 x 4 blocks above each column and to the left of each row of blocks. */
  private final int[] modesAbove;

  private final int[] modesLeft = new int[4];
  private final int[] modes = new int[16];

  /** The data of each macroblock for the loop filter: segment, kind, and whether it is smooth. */
  private final byte[] filtered;

  private LossyDecoder(byte[] bytes, int from, int end, Path file) {
    this.file = file;
    header = new FrameHeader(bytes, from, end, file);
    int width = FrameHeader.width(bytes, from);
    int height = FrameHeader.height(bytes, from);
    columns = (width + 15) / 16;
    rows = (height + 15) / 16;
    planes = new YuvPlanes(width, height);
    coefficients = new CoefficientReader(header.coefficients(), columns);
    modesAbove = new int[4 * columns];
    filtered = new byte[header.isFiltered() ? columns * rows : 0];
  }

  /**
   * Decodes a frame.
   *
   * @param bytes the file
   * @param from offset of the frame, which {@link FrameHeader#checkTag} has accepted
   * @param end offset after its end
   * @return RGB [H, W, 3]
   * @throws FileException if it is damaged or truncated
   */
  static byte[] decode(byte[] bytes, int from, int end, Path file) {
    LossyDecoder decoder = new LossyDecoder(bytes, from, end, file);
    for (int row = 0; row < decoder.rows; row++) {
      decoder.decodeRow(row);
    }
    decoder.filter();
    return decoder.planes.toRgb();
  }

  private void decodeRow(int row) {
    coefficients.beginRow();
    Arrays.fill(modesLeft, Prediction.DC);
    beginRow(row);
    BoolDecoder tokens = header.tokens(row);
    for (int column = 0; column < columns; column++) {
      decodeMacroblock(row, column, tokens);
      if (header.modes().isPastEnd() || tokens.isPastEnd()) {
        throw new FileException(
            file, "is a damaged WebP image: its data end in row %s of %s".formatted(row, rows));
      }
    }
  }

  private void decodeMacroblock(int row, int column, BoolDecoder tokens) {
    BoolDecoder in = header.modes();
    int segment = header.readSegment();
    boolean isSkipped = header.readSkip();
    boolean hasSmallBlocks = !in.isSet(145);
    if (hasSmallBlocks) {
      readSmallModes(in, column);
    } else {
      modes[0] = readWholeMode(in);
      Arrays.fill(modesAbove, 4 * column, 4 * column + 4, modes[0]);
      Arrays.fill(modesLeft, modes[0]);
    }
    final int chromaMode = readChromaMode(in);
    boolean hasValues = false;
    if (isSkipped) {
      coefficients.skip(column, hasSmallBlocks);
    } else {
      hasValues = coefficients.read(tokens, column, hasSmallBlocks, header.quantizer(segment));
    }
    bringNeighbours(row, column);
    if (hasSmallBlocks) {
      predictSmall(row, column, hasValues);
    } else {
      Prediction.whole(modes[0], work, LUMA, 16, row > 0, column > 0);
      for (int i = 0; hasValues && i < 16; i++) {
        InverseTransform.add(coefficients.values(), 16 * i, work, small(i));
      }
    }
    Prediction.whole(chromaMode, work, BLUE, 8, row > 0, column > 0);
    Prediction.whole(chromaMode, work, RED, 8, row > 0, column > 0);
    for (int i = 0; hasValues && i < 4; i++) {
      int block = (i >> 1) * 4 * STRIDE + (i & 1) * 4;
      InverseTransform.add(coefficients.values(), 16 * (16 + i), work, BLUE + block);
      InverseTransform.add(coefficients.values(), 16 * (20 + i), work, RED + block);
    }
    store(row, column);
    if (header.isFiltered()) {
      boolean hasInner = hasSmallBlocks || hasValues;
      filtered[row * columns + column] =
          (byte) (segment | (hasSmallBlocks ? 4 : 0) | (hasInner ? 8 : 0));
    }
  }

  private void readSmallModes(BoolDecoder in, int column) {
    for (int y = 0; y < 4; y++) {
      for (int x = 0; x < 4; x++) {
        int mode = ModeTables.read(in, modesAbove[4 * column + x], modesLeft[y]);
        modesAbove[4 * column + x] = mode;
        modesLeft[y] = mode;
        modes[4 * y + x] = mode;
      }
    }
  }

  private static int readWholeMode(BoolDecoder in) {
    if (in.isSet(156)) {
      return in.isSet(128) ? Prediction.TRUE_MOTION : Prediction.HORIZONTAL;
    }
    return in.isSet(163) ? Prediction.VERTICAL : Prediction.DC;
  }

  private static int readChromaMode(BoolDecoder in) {
    if (!in.isSet(142)) {
      return Prediction.DC;
    }
    if (!in.isSet(114)) {
      return Prediction.VERTICAL;
    }
    return in.isSet(183) ? Prediction.TRUE_MOTION : Prediction.HORIZONTAL;
  }

  /** Pixels outside the first column and row have fixed values. */
  private void beginRow(int row) {
    for (int y = 0; y < 16; y++) {
      work[LUMA + y * STRIDE - 1] = BESIDE;
    }
    for (int y = 0; y < 8; y++) {
      work[BLUE + y * STRIDE - 1] = BESIDE;
      work[RED + y * STRIDE - 1] = BESIDE;
    }
    for (int plane : new int[] {LUMA, BLUE, RED}) {
      work[plane - STRIDE - 1] = row > 0 ? BESIDE : BEYOND;
    }
    if (row == 0) {
      Arrays.fill(work, LUMA - STRIDE, LUMA - STRIDE + 20, BEYOND);
      Arrays.fill(work, BLUE - STRIDE, BLUE - STRIDE + 8, BEYOND);
      Arrays.fill(work, RED - STRIDE, RED - STRIDE + 8, BEYOND);
    }
  }

  /** Copies the pixels of the neighbours, before filtering, around the macroblock. */
  private void bringNeighbours(int row, int column) {
    if (column > 0) {
      for (int y = -1; y < 16; y++) {
        work[LUMA + y * STRIDE - 1] = work[LUMA + y * STRIDE + 15];
      }
      for (int y = -1; y < 8; y++) {
        work[BLUE + y * STRIDE - 1] = work[BLUE + y * STRIDE + 7];
        work[RED + y * STRIDE - 1] = work[RED + y * STRIDE + 7];
      }
    }
    if (row > 0) {
      bring(planes.y, planes.yAt(16 * column, 16 * row - 1), LUMA - STRIDE, 16);
      bring(planes.u, planes.uvAt(8 * column, 8 * row - 1), BLUE - STRIDE, 8);
      bring(planes.v, planes.uvAt(8 * column, 8 * row - 1), RED - STRIDE, 8);
    }
  }

  private void bring(byte[] plane, int from, int to, int count) {
    for (int x = 0; x < count; x++) {
      work[to + x] = plane[from + x] & 0xff;
    }
  }

  private void predictSmall(int row, int column, boolean hasValues) {
    int right = LUMA - STRIDE + 16;
    if (row > 0 && column == columns - 1) {
      Arrays.fill(work, right, right + 4, work[right - 1]);
    } else if (row > 0) {
      bring(planes.y, planes.yAt(16 * column + 16, 16 * row - 1), right, 4);
    }
    // The lower blocks use the same pixels to the upper right, because the actual ones are decoded
    // later.
    for (int y = 4; y < 16; y += 4) {
      System.arraycopy(work, right, work, right + y * STRIDE, 4);
    }
    for (int i = 0; i < 16; i++) {
      Prediction.small(modes[i], work, small(i));
      if (hasValues) {
        InverseTransform.add(coefficients.values(), 16 * i, work, small(i));
      }
    }
  }

  private static int small(int block) {
    return LUMA + (block >> 2) * 4 * STRIDE + (block & 3) * 4;
  }

  private void store(int row, int column) {
    for (int y = 0; y < 16; y++) {
      store(planes.y, planes.yAt(16 * column, 16 * row + y), LUMA + y * STRIDE, 16);
    }
    for (int y = 0; y < 8; y++) {
      store(planes.u, planes.uvAt(8 * column, 8 * row + y), BLUE + y * STRIDE, 8);
      store(planes.v, planes.uvAt(8 * column, 8 * row + y), RED + y * STRIDE, 8);
    }
  }

  private void store(byte[] plane, int to, int from, int count) {
    for (int x = 0; x < count; x++) {
      plane[to + x] = (byte) work[from + x];
    }
  }

  private void filter() {
    for (int i = 0; i < filtered.length; i++) {
      int column = i % columns;
      int row = i / columns;
      FilterStrength strength = header.strength(filtered[i] & 3, (filtered[i] & 4) != 0);
      if (strength.limit() == 0) {
        continue;
      }
      boolean hasInner = (filtered[i] & 8) != 0;
      var edges = new LoopFilter.Edges(column > 0, row > 0);
      int y = planes.yAt(16 * column, 16 * row);
      if (header.isSimpleFilter()) {
        LoopFilter.simple(planes.y, y, planes.yStride(), strength, edges, hasInner);
      } else {
        int uv = planes.uvAt(8 * column, 8 * row);
        LoopFilter.normal(planes.y, y, planes.yStride(), 16, strength, edges, hasInner);
        LoopFilter.normal(planes.u, uv, planes.uvStride(), 8, strength, edges, hasInner);
        LoopFilter.normal(planes.v, uv, planes.uvStride(), 8, strength, edges, hasInner);
      }
    }
  }
}
