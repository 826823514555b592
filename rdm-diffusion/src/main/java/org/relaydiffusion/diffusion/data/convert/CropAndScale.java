// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.image.Pixels;

/**
 * The transforms of the reference's data set tool: crops, then resizes with Pillow's LANCZOS
 * filter. With a crop, grayscale images become RGB.
 *
 * @param crop the crop
 * @param resolution the size after resizing; null keeps the size, which is only allowed with {@link
 *     Crop#NONE}
 */
public record CropAndScale(Crop crop, @Nullable Resolution resolution) implements PictureTransform {
  /**
   * Checks the combination.
   *
   * @throws OptionException if it is invalid
   */
  public CropAndScale {
    if (crop != Crop.NONE && resolution == null) {
      throw new OptionException(
          "--transform=%s requires --resolution, such as 64x64".formatted(crop.option()));
    }
    if (crop == Crop.CENTER_CROP_WIDE
        && resolution != null
        && resolution.height() > resolution.width()) {
      throw new OptionException(
          "--transform=center-crop-wide requires a --resolution at least as wide as high, but is "
              + resolution);
    }
  }

  @Override
  public Optional<Pixels> apply(Pixels picture) {
    if (resolution == null) {
      return Optional.of(picture);
    }
    return switch (crop) {
      case NONE -> Optional.of(Lanczos.resize(picture, resolution));
      case CENTER_CROP -> Optional.of(square(picture.toRgb(), resolution));
      case CENTER_CROP_WIDE -> wide(picture.toRgb(), resolution);
    };
  }

  private static Pixels square(Pixels picture, Resolution resolution) {
    int side = Math.min(picture.width(), picture.height());
    return Lanczos.resize(middle(picture, side, side), resolution);
  }

  private static Optional<Pixels> wide(Pixels picture, Resolution resolution) {
    // Ties are rounded to even, as in Python.
    int rows = (int) Math.rint((double) resolution.width() * picture.height() / picture.width());
    if (picture.width() < resolution.width() || rows < resolution.height()) {
      return Optional.empty();
    }
    Pixels scaled = Lanczos.resize(middle(picture, picture.width(), rows), resolution);
    Pixels canvas = Pixels.black(resolution.width(), resolution.width(), 3);
    int top = (resolution.width() - resolution.height()) / 2;
    System.arraycopy(
        scaled.data(), 0, canvas.data(), top * resolution.width() * 3, scaled.data().length);
    return Optional.of(canvas);
  }

  /**
   * Returns the centre of an image; if the rest is odd, one more pixel is cut on the right and
   * below.
   */
  private static Pixels middle(Pixels picture, int width, int height) {
    if (width == picture.width() && height == picture.height()) {
      return picture;
    }
    Pixels part = Pixels.black(width, height, 3);
    int left = (picture.width() - width) / 2;
    int top = (picture.height() - height) / 2;
    for (int y = 0; y < height; y++) {
      int from = ((top + y) * picture.width() + left) * 3;
      System.arraycopy(picture.data(), from, part.data(), y * width * 3, width * 3);
    }
    return part;
  }
}
