package org.relaydiffusion.checkpoint.pickle;

import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a pickle can say beyond plain values, for {@link PickleWriter}. */
public sealed interface PickleForm {
  /**
   * The result of a call.
   *
   * @param function a function or class, by name
   * @param args its arguments
   */
  record Call(GlobalName function, List<? extends @Nullable Object> args) implements PickleForm {}

  /**
   * An object made without its constructor, which then takes a state.
   *
   * @param type its class
   * @param state mostly a dictionary of attributes
   */
  record NewObject(GlobalName type, Object state) implements PickleForm {}

  /**
   * A value that lies outside the pickle.
   *
   * @param id what the reader finds it by
   */
  record PersistentId(Tuple id) implements PickleForm {}

  /**
   * Python's bytes, produced while they are written, so that they need not be in memory.
   *
   * @param length how many bytes {@code body} writes
   * @param body writes them
   */
  record Bytes(long length, Body body) implements PickleForm {}

  /** Writes the content of a byte string. */
  @FunctionalInterface
  interface Body {
    /**
     * Writes exactly the bytes that were promised.
     *
     * @param out left open
     */
    void writeTo(OutputStream out) throws IOException;
  }

  /** An empty {@code collections.OrderedDict}, as PyTorch keeps hooks in. */
  static PickleForm emptyOrderedDict() {
    return new Call(new GlobalName("collections", "OrderedDict"), List.of());
  }
}
