package org.relaydiffusion.checkpoint.pickle;

/** An object that takes its state after it was made ({@code __setstate__}). */
public interface Buildable {
  /**
   * Takes the state.
   *
   * @throws BadPickleException when the state is not of the kind expected
   */
  void build(Object state);
}
