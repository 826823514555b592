package org.relaydiffusion.checkpoint.pickle;

import java.util.List;

/**
 * A known function or class, standing for itself on the pickle's stack.
 *
 * @param name its name in Python
 * @param kind whether it may also be made through {@code __new__}
 * @param body what its call gives here
 */
public record Callable(GlobalName name, Kind kind, Body body) {
  /** What a callable is in Python. */
  public enum Kind {
    /** Only called. */
    FUNCTION,
    /** Called, or made through {@code __new__}. */
    CLASS
  }

  /** Builds the value of a call. */
  @FunctionalInterface
  public interface Body {
    /**
     * Builds the value.
     *
     * @param args the positional arguments, of any type and number: they come from the file
     * @throws BadPickleException when they are not what the Python function takes
     */
    Object call(List<Object> args);
  }
}
