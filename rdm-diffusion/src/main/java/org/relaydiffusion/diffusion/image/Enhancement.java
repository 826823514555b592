package org.relaydiffusion.diffusion.image;

import org.relaydiffusion.OptionException;

/**
 * The finishing touch of the published scripts: contrast, then brightness, then colour, with the
 * arithmetic of Pillow's {@code ImageEnhance} to the bit. Each blends the picture with a plain one
 * in float32 and truncates: with the mean grey (contrast), with black (brightness), with its own
 * grey version (colour). A factor of 1 changes nothing, 0 gives the plain picture.
 *
 * @param contrast at least 0
 * @param brightness at least 0
 * @param colour at least 0; grey pictures stay as they are
 */
public record Enhancement(float contrast, float brightness, float colour) {
  /** Leaves every picture as it is. */
  public static final Enhancement NONE = new Enhancement(1, 1, 1);

  /** What the CelebA-HQ samples of the paper were given. */
  public static final Enhancement CELEBAHQ = new Enhancement(0.9f, 1.05f, 0.99f);

  /** What the ImageNet samples of the paper were given. */
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

  private static void check(String name, float factor) {
    if (!(factor >= 0) || Float.isInfinite(factor)) {
      throw new OptionException(
          "%s must be a finite number of at least 0, but is %s".formatted(name, factor));
    }
  }

  /** The enhanced picture: a new one, or {@code pixels} itself where nothing changes. */
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

  /** What a picture is blended with: a grey value for each pixel. */
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

  /** The mean of the grey version, rounded half up. */
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
