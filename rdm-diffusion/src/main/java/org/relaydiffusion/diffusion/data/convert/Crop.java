package org.relaydiffusion.diffusion.data.convert;

import java.util.Arrays;
import org.relaydiffusion.OptionException;

/** What is cut out of a picture before it is scaled. */
public enum Crop {
  /** Nothing: the whole picture is scaled, whatever its shape. */
  NONE("none"),
  /** The largest square in the middle. */
  CENTER_CROP("center-crop"),
  /**
   * Rows in the middle, over the whole width; the scaled picture stands on a black square. Pictures
   * that would have to be enlarged are left out.
   */
  CENTER_CROP_WIDE("center-crop-wide");

  private final String option;

  Crop(String option) {
    this.option = option;
  }

  /** The name as a command line has it. */
  public String option() {
    return option;
  }

  /**
   * Reads the name.
   *
   * @throws OptionException when there is none such
   */
  public static Crop parse(String text) {
    return Arrays.stream(values())
        .filter(crop -> crop.option.equals(text.replace('_', '-')))
        .findFirst()
        .orElseThrow(() ->
            new OptionException(
                "--transform takes none, center-crop or center-crop-wide, not '%s'"
                    .formatted(text)));
  }
}
