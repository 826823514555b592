// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.doctor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/** The lines by which the process that tries a device tells what it has found. */
final class DeviceLines {
  private static final String BEGUN = "rdm-device-begun\t";
  private static final String ENDED = "rdm-device-ended\t";
  private static final String FAILED = "rdm-device-failed\t";

  private DeviceLines() {}

  /**
   * What the lines of a process say.
   *
   * @param results of the operations that ended
   * @param open the operation that was begun last and did not end
   * @param failure the reason given by the process itself
   */
  record Told(List<DeviceCheck.Result> results, Optional<String> open, Optional<String> failure) {
    /** Returns whether nothing is missing. */
    boolean isWhole() {
      return failure.isEmpty() && results.size() == Exercise.values().length;
    }
  }

  static String begun(Exercise exercise) {
    return BEGUN + exercise.words();
  }

  static String ended(DeviceCheck.Result result) {
    return ENDED
        + String.join(
            "\t",
            result.operation(),
            Double.toString(result.milliseconds()),
            Double.toString(result.difference()),
            Double.toString(result.tolerance()));
  }

  static String failed(String reason) {
    return FAILED + reason;
  }

  /** Reads what a process wrote, among which there may be lines of native libraries. */
  static Told read(List<String> lines) {
    List<DeviceCheck.Result> results = new ArrayList<>();
    Optional<String> open = Optional.empty();
    Optional<String> failure = Optional.empty();
    for (String line : lines) {
      if (line.startsWith(BEGUN)) {
        open = Optional.of(line.substring(BEGUN.length()));
      } else if (line.startsWith(FAILED)) {
        failure = Optional.of(line.substring(FAILED.length()));
      } else if (line.startsWith(ENDED)) {
        Optional<DeviceCheck.Result> result = result(line.substring(ENDED.length()));
        result.ifPresent(results::add);
        open = result.isPresent() ? Optional.empty() : open;
      }
    }
    return new Told(List.copyOf(results), open, failure);
  }

  /** Empty for a line that was cut by the end of the process. */
  private static Optional<DeviceCheck.Result> result(String line) {
    String[] parts = line.split("\t", -1);
    boolean known = Arrays.stream(Exercise.values()).anyMatch(e -> e.words().equals(parts[0]));
    if (parts.length != 4 || !known) {
      return Optional.empty();
    }
    try {
      return Optional.of(
          new DeviceCheck.Result(
              parts[0],
              Double.parseDouble(parts[1]),
              Double.parseDouble(parts[2]),
              Double.parseDouble(parts[3])));
    } catch (NumberFormatException _) {
      return Optional.empty();
    }
  }
}
