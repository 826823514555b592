// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import org.relaydiffusion.OptionException;
import org.relaydiffusion.model.JsonFields;

/**
 * The post-processing of the published scripts: contrast, then brightness, then colour,
 * bit-identical to Pillow's {@code ImageEnhance}. Each blends the image with another one in float32
 * and truncates: with the mean grey (contrast), with black (brightness), with its own grayscale
 * version (colour). A factor of 1 has no effect; 0 gives the other image.
 *
 * @param contrast at least 0
 * @param brightness at least 0
 * @param colour at least 0; has no effect on grayscale images
 */
public record Enhancement(float contrast, float brightness, float colour) {
  /** No change. */
  public static final Enhancement NONE = new Enhancement(1, 1, 1);

  /** The values for the paper's CelebA-HQ samples. */
  public static final Enhancement CELEBAHQ = new Enhancement(0.9f, 1.05f, 0.99f);

  /** The values for the paper's ImageNet samples. */
  public static final Enhancement IMAGENET = new Enhancement(1, 1.06f, 1);

  /**
   * Checks the factors.
   *
   * @throws OptionException naming the one that is negative or not finite
   */
  public Enhancement {
    check("contrast", contrast);
    check("brightness", brightness);
    check("colour", colour);
  }

  /**
   * Takes the factors from a JSON object, which has nothing else.
   *
   * @throws org.relaydiffusion.FileException naming the field that is missing, unknown or invalid
   */
  public static Enhancement read(JsonFields json) {
    float contrast = (float) json.number("contrast");
    float brightness = (float) json.number("brightness");
    float colour = (float) json.number("colour");
    json.end();
    try {
      return new Enhancement(contrast, brightness, colour);
    } catch (OptionException e) {
      throw json.error(String.valueOf(e.getMessage()));
    }
  }

  private static void check(String name, float factor) {
    if (!(factor >= 0) || Float.isInfinite(factor)) {
      throw new OptionException(
          "%s must be a finite number of at least 0, but is %s".formatted(name, factor));
    }
  }

  /** Returns the enhanced image: a new one, or {@code pixels} itself if nothing changes. */
  public Pixels apply(Pixels pixels) {
    Pixels result = pixels;
    if (contrast != 1) {
      result = blend(constant(meanGrey(result)), result, contrast);
    }
    if (brightness != 1) {
      result = blend(constant(0), result, brightness);
    }
    if (colour != 1 && result.channels() == 3) {
      Pixels source = result;
      result = blend(pixel -> grey(source, pixel), source, colour);
    }
    return result;
  }

  /** Returns the image to blend with: a grey value per pixel. */
  @FunctionalInterface
  private interface Plain {
    int grey(int pixel);
  }

  private static Plain constant(int grey) {
    return _ -> grey;
  }

  private static Pixels blend(Plain plain, Pixels source, float factor) {
    Pixels result = Pixels.black(source.width(), source.height(), source.channels());
    byte[] from = source.data();
    byte[] to = result.data();
    int channels = source.channels();
    for (int i = 0; i < from.length; i += channels) {
      int base = plain.grey(i / channels);
      for (int j = i; j < i + channels; j++) {
        float value = base + factor * ((from[j] & 0xff) - base);
        to[j] = (byte) (int) Math.clamp(value, 0f, 255f);
      }
    }
    return result;
  }

  /** Returns the mean of the grayscale version, rounded half up. */
  private static int meanGrey(Pixels pixels) {
    int count = pixels.width() * pixels.height();
    long sum = 0;
    for (int i = 0; i < count; i++) {
      sum += grey(pixels, i);
    }
    return (int) ((double) sum / count + 0.5);
  }

  /** ITU-R 601 luma in 16-bit fixed point, as Pillow's conversion to "L". */
  private static int grey(Pixels pixels, int pixel) {
    byte[] data = pixels.data();
    if (pixels.channels() == 1) {
      return data[pixel] & 0xff;
    }
    int i = 3 * pixel;
    int red = data[i] & 0xff;
    int green = data[i + 1] & 0xff;
    int blue = data[i + 2] & 0xff;
    return (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16;
  }
}
