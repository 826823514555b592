// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.relaydiffusion.launch.command.Section;
import picocli.CommandLine.Option;

/**
 * The reference's options for Aim, an experiment tracker written in Python. They are accepted so
 * that its command lines run unchanged.
 */
final class TrackerOptions implements Section {
  @Option(
      names = "--aim-repo",
      paramLabel = "PATH",
      description = "Accepted for compatibility; has no effect. Default: none.",
      defaultValue = "")
  String repository = "";

  @Option(
      names = "--exp-name",
      paramLabel = "TEXT",
      description = "Accepted for compatibility; has no effect. Default: none.",
      defaultValue = "")
  String experiment = "";

  @Option(
      names = "--exp-tag",
      paramLabel = "TEXT",
      description = "Accepted for compatibility; has no effect. Default: none.",
      defaultValue = "")
  String tag = "";

  @Option(
      names = "--no-aim",
      description = "Accepted for compatibility; has no effect. Default: on.")
  boolean off;

  @Override
  public String heading() {
    return "Experiment tracking";
  }

  /** Returns a warning if any of them is given. */
  Optional<String> said() {
    List<String> given = new ArrayList<>();
    if (!repository.isEmpty()) {
      given.add("--aim-repo");
    }
    if (!experiment.isEmpty()) {
      given.add("--exp-name");
    }
    if (!tag.isEmpty()) {
      given.add("--exp-tag");
    }
    if (off) {
      given.add("--no-aim");
    }
    return given.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "%s: Aim is not supported; use stats.jsonl and the TensorBoard event files in the run"
                    .formatted(String.join(", ", given))
                + " folder instead");
  }
}
