// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.OptionalInt;
import org.relaydiffusion.OptionException;

/**
 * The stages to run ({@code --sampler_stages}).
 *
 * @param from the first stage to run, from 0; a later one than 0 starts from images that the caller
 *     provides
 * @param to the last stage to run, whose images are the result; if empty, the last stage of the
 *     pipeline
 */
public record StageRange(int from, OptionalInt to) {
  /** All stages of the pipeline. */
  public static final StageRange ALL = new StageRange(0, OptionalInt.empty());

  /**
   * Checks the order.
   *
   * @throws OptionException if the last stage comes before the first
   */
  public StageRange {
    if (from < 0 || from >= StageNames.all().size()) {
      throw new OptionException(
          "a stage must be 0 to %s, but is %s".formatted(StageNames.all().size() - 1, from));
    }
    if (to.isPresent() && (to.getAsInt() < from || to.getAsInt() >= StageNames.all().size())) {
      throw new OptionException(
          "sampler_stages must end at or after the %s stage".formatted(StageNames.of(from)));
    }
  }

  /** Returns a single stage, from 0. */
  public static StageRange only(int stage) {
    return new StageRange(stage, OptionalInt.of(stage));
  }

  /** Returns whether the run starts from images of the caller, not from noise. */
  public boolean startsFromImages() {
    return from > 0;
  }

  /** Returns whether the stage with this index runs, in a pipeline that has it. */
  public boolean includes(int stage) {
    return stage >= from && stage <= to.orElse(Integer.MAX_VALUE);
  }

  /**
   * Parses {@code both} or {@code all}, a stage such as {@code first}, or a range such as {@code
   * first-second} or {@code second-last}.
   *
   * @throws OptionException for anything else
   */
  public static StageRange parse(String text) {
    if (text.equalsIgnoreCase("both") || text.equalsIgnoreCase("all")) {
      return ALL;
    }
    String[] ends = text.split("-", -1);
    OptionalInt from = StageNames.index(ends[0]);
    if (from.isPresent() && ends.length == 2 && ends[1].equalsIgnoreCase("last")) {
      return new StageRange(from.getAsInt(), OptionalInt.empty());
    }
    OptionalInt to = StageNames.index(ends[ends.length - 1]);
    if (ends.length > 2 || from.isEmpty() || to.isEmpty() || to.getAsInt() < from.getAsInt()) {
      throw new OptionException(
          "--sampler_stages must be both, first, second, third, ... or a range such as"
              + " first-second or second-last, but is '%s'".formatted(text));
    }
    return new StageRange(from.getAsInt(), to);
  }

  /** Returns the range as {@link #parse} reads it; all stages are {@code both}, as ever. */
  @Override
  public String toString() {
    if (equals(ALL)) {
      return "both";
    }
    String first = StageNames.of(from);
    return to.isPresent() && to.getAsInt() == from
        ? first
        : "%s-%s".formatted(first, to.isPresent() ? StageNames.of(to.getAsInt()) : "last");
  }
}
