package org.relaydiffusion.diffusion.image;

import java.util.List;
import org.relaydiffusion.OptionException;

/**
 * Many pictures on one: row by row, each in the middle of a cell as large as the largest of them.
 *
 * @param columns pictures side by side, at least 1
 * @param padding pixels between cells and around them, at least 0
 * @param background the colour of what no picture covers, 0xRRGGBB
 */
public record ContactSheet(int columns, int padding, int background) {
  /** Checks the numbers. */
  public ContactSheet {
    if (columns < 1) {
      throw new OptionException("a contact sheet has at least 1 column, not " + columns);
    }
    if (padding < 0 || padding > 4096) {
      throw new OptionException("the padding is 0 to 4096 pixels, not " + padding);
    }
    if (background < 0 || background > 0xffffff) {
      throw new OptionException("the background is 0x000000 to 0xffffff, not " + background);
    }
  }

  /** A sheet about as wide as high for {@code count} pictures of equal size: white, 2 px apart. */
  public static ContactSheet nearSquare(int count) {
    return new ContactSheet(Math.max(1, (int) Math.ceil(Math.sqrt(count))), 2, 0xffffff);
  }

  /**
   * Makes the sheet: grey when all pictures and the background are, else RGB.
   *
   * @param pictures at least one
   * @throws OptionException when there is none, or the sheet would be too large
   */
  public Pixels of(List<Pixels> pictures) {
    if (pictures.isEmpty()) {
      throw new OptionException("a contact sheet needs at least one picture");
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
    // Both sides are below 2^44, so the first test keeps the product from overflowing.
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
