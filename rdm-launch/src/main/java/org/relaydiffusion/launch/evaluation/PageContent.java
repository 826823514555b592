// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import java.nio.file.Path;
import java.util.Optional;
import org.relaydiffusion.OptionException;

/**
 * The parts of a report besides the values.
 *
 * @param title of the page
 * @param samples the images of the samples, a folder or zip
 * @param reference the images of the reference set, a folder or zip
 * @param options the file with the options of the samples
 * @param sheet the number of images on the contact sheet; 0 for none
 * @param rows the number of samples shown with their nearest neighbours; 0 for none
 * @param nearest the number of neighbours of each, at least 1
 */
public record PageContent(
    Optional<String> title,
    Optional<Path> samples,
    Optional<Path> reference,
    Optional<Path> options,
    int sheet,
    int rows,
    int nearest) {
  private static final int MOST_ON_SHEET = 1024;
  private static final int MOST_ROWS = 64;
  private static final int MOST_NEAREST = 15;

  /**
   * Checks the values.
   *
   * @throws OptionException naming the one that is out of range
   */
  public PageContent {
    check("--sheet", sheet, 0, MOST_ON_SHEET);
    check("--rows", rows, 0, MOST_ROWS);
    check("--nearest", nearest, 1, MOST_NEAREST);
  }

  private static void check(String option, int value, int least, int most) {
    if (value < least || value > most) {
      throw new OptionException(
          "%s must be from %s to %s, but is %s".formatted(option, least, most, value));
    }
  }
}
