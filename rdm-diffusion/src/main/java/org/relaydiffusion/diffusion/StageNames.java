// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;

/** The ordinals by which stages are named in options and messages, such as {@code first}. */
public final class StageNames {
  private static final List<String> ORDINALS =
      List.of("first", "second", "third", "fourth", "fifth", "sixth");

  private StageNames() {}

  /** Returns all names, in the order of the stages; a pipeline has at most so many stages. */
  public static List<String> all() {
    return ORDINALS;
  }

  /**
   * Returns the name of a stage.
   *
   * @param index from 0
   */
  public static String of(int index) {
    return ORDINALS.get(index);
  }

  /** Returns the index of the stage with a name, from 0; empty if there is none. */
  public static OptionalInt index(String name) {
    int index = ORDINALS.indexOf(name.toLowerCase(Locale.ROOT));
    return index < 0 ? OptionalInt.empty() : OptionalInt.of(index);
  }
}
