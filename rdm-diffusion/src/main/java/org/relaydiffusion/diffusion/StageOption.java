// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;

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
   * @param leastTyped the least value that a user may give, stricter than the solver's
   * @param aboveZero whether a user may not give 0
   */
  public record Traits(boolean bareInFirst, boolean sparse, int leastTyped, boolean aboveZero) {
    /** Nothing special. */
    public static final Traits NONE = new Traits(false, false, Integer.MIN_VALUE, false);
  }

  /** Returns the value of this option; null if it does not apply. */
  public @Nullable Object of(StageOptions options) {
    return reader.apply(options);
  }

  /**
   * Rejects a value that a solver accepts, but neither a command line nor a file may have.
   *
   * @throws OptionException naming the option
   */
  public void requireAllowed(Object value) {
    if (traits.aboveZero() && value instanceof Double number && !(number > 0)) {
      // With which the last step would divide by zero.
      throw new OptionException("%s must be above 0, but is %s".formatted(name, text(number)));
    }
    if (value instanceof Integer number && number < traits.leastTyped()) {
      throw new OptionException(
          "%s must be at least %s, but is %s".formatted(name, traits.leastTyped(), number));
    }
  }

  private static String text(double number) {
    long whole = (long) number;
    return whole == number ? Long.toString(whole) : Double.toString(number);
  }

  /** Returns the description of the option of a stage. */
  public String description(int stage) {
    return description.replace("{stage}", StageNames.of(stage));
  }
}
