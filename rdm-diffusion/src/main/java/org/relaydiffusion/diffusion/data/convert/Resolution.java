// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.relaydiffusion.OptionException;

/**
 * The size of an image.
 *
 * @param width in pixels, 1 to 16384
 * @param height in pixels, 1 to 16384
 */
public record Resolution(int width, int height) {
  private static final int LARGEST = 16384;
  private static final Pattern TEXT = Pattern.compile("(\\d{1,9})[x,](\\d{1,9})", Pattern.DOTALL);

  /**
   * Checks the values.
   *
   * @throws OptionException if one is out of range
   */
  public Resolution {
    if (width < 1 || height < 1 || width > LARGEST || height > LARGEST) {
      throw new OptionException(
          "--resolution must have sides of 1 to %s pixels, but is %sx%s"
              .formatted(LARGEST, width, height));
    }
  }

  /**
   * Parses {@code 64x64} or {@code 64,64}.
   *
   * @throws OptionException if the text is anything else
   */
  public static Resolution parse(String text) {
    Matcher matcher = TEXT.matcher(text);
    if (!matcher.matches()) {
      throw new OptionException(
          "--resolution must be WIDTHxHEIGHT, such as 64x64, but is '%s'".formatted(text));
    }
    return new Resolution(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
  }

  @Override
  public String toString() {
    return width + "x" + height;
  }
}
