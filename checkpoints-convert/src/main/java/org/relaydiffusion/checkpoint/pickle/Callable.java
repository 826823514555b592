// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import java.util.List;

/**
 * A known function or class as a value on the stack of a pickle.
 *
 * @param name its name in Python
 * @param kind whether it may also be constructed with {@code __new__}
 * @param body the effect of a call
 */
public record Callable(GlobalName name, Kind kind, Body body) {
  /** The kind of a callable in Python. */
  public enum Kind {
    /** It can only be called. */
    FUNCTION,
    /** It can be called, or constructed with {@code __new__}. */
    CLASS
  }

  /** Computes the result of a call. */
  @FunctionalInterface
  public interface Body {
    /**
     * Computes the result.
     *
     * @param args the positional arguments, of any type and number: they come from the file
     * @throws BadPickleException if the Python function does not accept them
     */
    Object call(List<Object> args);
  }
}
