// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.util.List;
import org.relaydiffusion.OptionException;

/**
 * Combines many images into one: row by row, each centred in a cell with the size of the largest.
 *
 * @param columns number of columns, at least 1
 * @param padding pixels between cells and around them, at least 0
 * @param background the colour of uncovered pixels, 0xRRGGBB
 */
public record ContactSheet(int columns, int padding, int background) {
  /**
   * Checks the values.
   *
   * @throws OptionException if one is out of range
   */
  public ContactSheet {
    if (columns < 1) {
      throw new OptionException("a contact sheet must have at least 1 column, but has " + columns);
    }
    if (padding < 0 || padding > 4096) {
      throw new OptionException("the padding must be 0 to 4096 pixels, but is " + padding);
    }
    if (background < 0 || background > 0xffffff) {
      throw new OptionException(
          "the background must be 0x000000 to 0xffffff, but is " + background);
    }
  }

  /**
   * Returns a layout of about equal width and height for {@code count} images of equal size: white,
   * with 2 pixels of padding.
   */
  public static ContactSheet nearSquare(int count) {
    return new ContactSheet(Math.max(1, (int) Math.ceil(Math.sqrt(count))), 2, 0xffffff);
  }

  /**
   * Creates the sheet: grayscale if all images and the background are, otherwise RGB.
   *
   * @param pictures at least one
   * @throws OptionException if there is none, or the sheet would be too large
   */
  public Pixels of(List<Pixels> pictures) {
    if (pictures.isEmpty()) {
      throw new OptionException("a contact sheet requires at least one image");
    }
    int cellWidth = pictures.stream().mapToInt(Pixels::width).max().orElseThrow();
    int cellHeight = pictures.stream().mapToInt(Pixels::height).max().orElseThrow();
    int across = Math.min(columns, pictures.size());
    int down = (pictures.size() - 1) / across + 1;
    Pixels sheet = blank(side(across, cellWidth), side(down, cellHeight), isGrey(pictures) ? 1 : 3);
    for (int i = 0; i < pictures.size(); i++) {
      Pixels picture = pictures.get(i);
      int x = padding + i % across * (cellWidth + padding) + (cellWidth - picture.width()) / 2;
      int y = padding + i / across * (cellHeight + padding) + (cellHeight - picture.height()) / 2;
      paste(picture, sheet, x, y);
    }
    return sheet;
  }

  private long side(int cells, int cell) {
    return (long) cells * ((long) cell + padding) + padding;
  }

  private boolean isGrey(List<Pixels> pictures) {
    int blue = background & 0xff;
    return background == blue * 0x010101 && pictures.stream().allMatch(p -> p.channels() == 1);
  }

  private Pixels blank(long width, long height, int channels) {
    // Both sides are below 2^44, so the first comparison prevents an overflow of the product.
    if (Math.max(width, height) > 1 << 28 || width * height > 1 << 28) {
      throw new OptionException(
          "a contact sheet of %s x %s pixels is too large: at most 2^28 pixels"
              .formatted(width, height));
    }
    Pixels sheet = Pixels.black((int) width, (int) height, channels);
    byte[] data = sheet.data();
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) (background >> (8 * (channels - 1 - i % channels)));
    }
    return sheet;
  }

  private static void paste(Pixels picture, Pixels sheet, int x, int y) {
    Pixels source = sheet.channels() == 3 ? picture.toRgb() : picture;
    int row = source.width() * source.channels();
    for (int line = 0; line < source.height(); line++) {
      int to = ((y + line) * sheet.width() + x) * sheet.channels();
      System.arraycopy(source.data(), line * row, sheet.data(), to, row);
    }
  }
}
