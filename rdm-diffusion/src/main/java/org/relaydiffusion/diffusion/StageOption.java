// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One row of the table of a stage's options ({@link StageOptionTable}): from it are made the option
 * on the command line, its help, the entry in JSON and the row in the documentation.
 *
 * @param name the name as in the reference, without the suffix of the stage: {@code num_steps}
 * @param key the name in JSON; a dot separates a group: {@code churn.amount}
 * @param kind the type of its values
 * @param label how help names a value, such as {@code N}
 * @param description whole sentences, in which <code>{stage}</code> is the name of the stage
 * @param note what help adds to the default; empty if nothing
 * @param reader returns the value; null if the option does not apply
 * @param writer sets the value
 * @param traits what is special about it
 */
public record StageOption(
    String name,
    String key,
    Kind kind,
    String label,
    String description,
    String note,
    Function<StageOptions, @Nullable Object> reader,
    BiConsumer<StageDraft, Object> writer,
    Traits traits) {
  /** The type of an option's values. */
  public enum Kind {
    /** An {@link Integer}. */
    INTEGER,
    /** A {@link Double}; may be infinite. */
    NUMBER,
    /** A {@link String}. */
    TEXT
  }

  /**
   * What is special about an option.
   *
   * @param bareInFirst whether the first stage's also has the name without a suffix
   * @param sparse whether JSON leaves out the default, which older files do not have
   * @param leastTyped the least value that a command line may have, stricter than the solver's
   * @param aboveZero whether a command line may not have 0
   */
  public record Traits(boolean bareInFirst, boolean sparse, int leastTyped, boolean aboveZero) {
    /** Nothing special. */
    public static final Traits NONE = new Traits(false, false, Integer.MIN_VALUE, false);
  }

  /** Returns the value of this option; null if it does not apply. */
  public @Nullable Object of(StageOptions options) {
    return reader.apply(options);
  }

  /** Returns the description of the option of a stage. */
  public String description(int stage) {
    return description.replace("{stage}", StageNames.of(stage));
  }
}
