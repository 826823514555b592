// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

/** A value that other packages add to pickles, with a description for messages. */
public interface Described {
  /** Returns a few words in one line, such as {@code a float32 tensor of sizes [3]}. */
  String describe();
}
