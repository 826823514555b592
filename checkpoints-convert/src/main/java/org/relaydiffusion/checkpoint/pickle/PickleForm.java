// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Values of a pickle beyond plain ones, for {@link PickleWriter}. */
public sealed interface PickleForm {
  /**
   * The result of a call.
   *
   * @param function a function or class, by name
   * @param args its arguments
   */
  record Call(GlobalName function, List<? extends @Nullable Object> args) implements PickleForm {}

  /**
   * An object constructed without its constructor, whose state is then set.
   *
   * @param type its class
   * @param state usually a dictionary of attributes
   */
  record NewObject(GlobalName type, Object state) implements PickleForm {}

  /**
   * A value stored outside the pickle.
   *
   * @param id by which the reader finds it
   */
  record PersistentId(Tuple id) implements PickleForm {}

  /**
   * Python's bytes, generated while they are written, so that they need not be in memory.
   *
   * @param length number of bytes written by {@code body}
   * @param body writes them
   */
  record Bytes(long length, Body body) implements PickleForm {}

  /** Writes the content of a byte string. */
  @FunctionalInterface
  interface Body {
    /**
     * Writes exactly the declared number of bytes.
     *
     * @param out left open
     */
    void writeTo(OutputStream out) throws IOException;
  }

  /** Returns an empty {@code collections.OrderedDict}, in which PyTorch stores hooks. */
  static PickleForm emptyOrderedDict() {
    return new Call(new GlobalName("collections", "OrderedDict"), List.of());
  }
}
