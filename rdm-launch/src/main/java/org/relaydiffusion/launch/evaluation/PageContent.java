package org.relaydiffusion.launch.evaluation;

import java.nio.file.Path;
import java.util.Optional;
import org.relaydiffusion.OptionException;

/**
 * What stands on the page of a report beside the numbers.
 *
 * @param title of the page
 * @param samples the samples' pictures, a folder or zip
 * @param reference the reference set's pictures, a folder or zip
 * @param options the file of options behind the samples
 * @param sheet how many pictures the contact sheet has; 0 for none
 * @param rows how many samples are shown with their nearest neighbours; 0 for none
 * @param nearest how many neighbours each has, at least 1
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
   * Checks the numbers.
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
