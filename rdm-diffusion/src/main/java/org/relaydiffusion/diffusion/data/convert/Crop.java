// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import java.util.Arrays;
import org.relaydiffusion.OptionException;

/** The crop of an image before resizing. */
public enum Crop {
  /** No crop: the whole image is resized, regardless of its shape. */
  NONE("none"),
  /** The largest central square. */
  CENTER_CROP("center-crop"),
  /**
   * Central rows of full width; the resized image is padded with black to a square. Images that
   * would have to be enlarged are skipped.
   */
  CENTER_CROP_WIDE("center-crop-wide");

  private final String option;

  Crop(String option) {
    this.option = option;
  }

  /** Returns the name on the command line. */
  public String option() {
    return option;
  }

  /**
   * Parses the name.
   *
   * @throws OptionException if it is unknown
   */
  public static Crop parse(String text) {
    return Arrays.stream(values())
        .filter(crop -> crop.option.equals(text.replace('_', '-')))
        .findFirst()
        .orElseThrow(() ->
            new OptionException(
                "--transform must be none, center-crop or center-crop-wide, but is '%s'"
                    .formatted(text)));
  }
}
