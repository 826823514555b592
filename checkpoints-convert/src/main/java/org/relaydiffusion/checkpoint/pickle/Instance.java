// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

/** An object of a known class of which only the state is relevant, such as PyTorch's ModuleDict. */
public final class Instance implements Buildable {
  private final GlobalName type;
  private Object state = PyNone.NONE;

  /** Creates an object without state. */
  public Instance(GlobalName type) {
    this.type = type;
  }

  /** Returns the class of the object. */
  public GlobalName type() {
    return type;
  }

  /** Returns the state set by the pickle, usually a dictionary; None before that. */
  public Object state() {
    return state;
  }

  @Override
  public void build(Object newState) {
    state = newState;
  }
}
