package org.relaydiffusion.checkpoint.pickle;

/** An object of a known class of which only the state counts, such as torch's ModuleDict. */
public final class Instance implements Buildable {
  private final GlobalName type;
  private Object state = PyNone.NONE;

  /** Creates an object that has no state yet. */
  public Instance(GlobalName type) {
    this.type = type;
  }

  /** The object's class. */
  public GlobalName type() {
    return type;
  }

  /** The state that the pickle gave it, mostly a dictionary; None before that. */
  public Object state() {
    return state;
  }

  @Override
  public void build(Object newState) {
    state = newState;
  }
}
