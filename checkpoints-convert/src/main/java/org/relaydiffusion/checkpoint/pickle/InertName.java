// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import java.util.Optional;
import org.relaydiffusion.Printable;

/**
 * An unknown class or function, represented by its name: it is never called. Beside a network it is
 * harmless; code that uses a value rejects it ({@link InertSearch}).
 *
 * @param name its name in Python
 */
public record InertName(GlobalName name) {
  /**
   * Returns the name as a value; empty for names that no legitimate file contains, not even beside
   * its networks.
   */
  public static Optional<InertName> of(GlobalName name) {
    return CodeNames.runs(name) ? Optional.empty() : Optional.of(new InertName(name));
  }

  /** Returns the error for a name where only data is allowed. */
  public static String refusal(GlobalName name) {
    return "%s is not allowed in a checkpoint: %s"
        .formatted(
            Printable.of(name.toString()),
            CodeNames.runs(name)
                ? "it would run code or access resources outside the file"
                : "it is not among the names known to be data");
  }
}
