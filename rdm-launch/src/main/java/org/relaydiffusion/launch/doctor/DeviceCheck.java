// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.doctor;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What came of trying a device.
 *
 * @param device such as {@code cuda:0}
 * @param results of the operations that ended, in order
 * @param failure one line that says why the others did not; empty if all ended
 */
public record DeviceCheck(String device, List<Result> results, Optional<String> failure) {
  /**
   * The result of one operation.
   *
   * @param operation in words
   * @param milliseconds the median of some calls, up to the end of the computation
   * @param difference the greatest difference of an element from the CPU's, as a fraction of the
   *     CPU's largest element; for the random draw, the greater one of the distances of its mean
   *     from 0 and its deviation from 1, infinite if the same seed gave other numbers
   * @param tolerance the greatest difference that is taken for rounding
   */
  public record Result(String operation, double milliseconds, double difference, double tolerance) {
    /** Returns whether the device computed what the CPU did. */
    boolean isCorrect() {
      return difference <= tolerance; // NaN is not.
    }

    private String time() {
      return String.format(Locale.ROOT, "%s %.3f ms", operation, milliseconds);
    }

    private String error() {
      if (operation.equals(Exercise.DRAW.words())) {
        return Double.isInfinite(difference)
            ? operation + " differs for the same seed"
            : String.format(
                Locale.ROOT,
                "%s is off by %.3g in mean or deviation, %s allowed",
                operation,
                difference,
                tolerance);
      }
      return String.format(
          Locale.ROOT,
          "%s differs from the CPU's by %.3g of its largest element, %s allowed",
          operation,
          difference,
          tolerance);
    }
  }

  /** Returns whether all operations ended with the right results. */
  boolean passed() {
    return failure.isEmpty() && results.stream().allMatch(Result::isCorrect);
  }

  /** Returns one line for display. */
  String text() {
    String times = results.stream().map(Result::time).collect(Collectors.joining(", "));
    String wrong =
        results.stream()
            .filter(r -> !r.isCorrect())
            .map(Result::error)
            .collect(Collectors.joining("; "));
    String verdict = wrong.isEmpty() ? "" : "computes wrong results: " + wrong;
    if (failure.isPresent()) {
      return verdict.isEmpty() ? failure.get() : failure.get() + "; " + verdict;
    }
    return verdict.isEmpty() ? "results agree with the CPU's: " + times : verdict;
  }
}
