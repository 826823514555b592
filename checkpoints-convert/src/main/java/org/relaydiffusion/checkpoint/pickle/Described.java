package org.relaydiffusion.checkpoint.pickle;

/** A value that other packages add to pickles, with words for messages. */
public interface Described {
  /** A few words of one line, e.g. {@code a float32 tensor of sizes [3]}. */
  String describe();
}
