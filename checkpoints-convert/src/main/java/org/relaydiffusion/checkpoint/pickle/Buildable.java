// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

/** An object whose state is set after construction ({@code __setstate__}). */
public interface Buildable {
  /**
   * Sets the state.
   *
   * @throws BadPickleException if the state is not of the expected kind
   */
  void build(Object state);
}
