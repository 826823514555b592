// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

/**
 * What {@link Tensor#index} takes of one axis, as Python's {@code x[...]} does:
 *
 * <pre>{@code
 * x.index(Index.at(0))                          // x[0]
 * x.index(Index.all(), Index.range(1, 5))       // x[:, 1:5]
 * x.index(Index.rest(), Index.at(-1))           // x[..., -1]
 * x.index(Index.of(rows))                       // x[rows]
 * x.index(Index.of(Comparison.gt(x, zero)))      // x[x > 0]
 * }</pre>
 *
 * <p>Negative numbers count from the end.
 */
public sealed interface Index {
  /** One element; the axis goes. */
  static Index at(long i) {
    return new At(i);
  }

  /** Elements [start, end). */
  static Index range(long start, long end) {
    return range(start, end, 1);
  }

  /** Elements start, start + step, ... below end; step is 1 or more. */
  static Index range(long start, long end, long step) {
    return new Range(start, end, step);
  }

  /** Elements from start on. */
  static Index from(long start) {
    return range(start, Long.MAX_VALUE);
  }

  /** The whole axis. */
  static Index all() {
    return from(0);
  }

  /** A new axis of size 1 ({@code None}). */
  static Index newAxis() {
    return new NewAxis();
  }

  /** As many whole axes as are left ({@code ...}); once. */
  static Index rest() {
    return new Rest();
  }

  /**
   * The elements that a tensor names: numbers (int64), whose shape the result has in place of the
   * axis, or truth values in the shape of one axis or more, of which the true ones are taken.
   * Several such tensors go together, broadcast.
   */
  static Index of(Tensor indices) {
    return new Of(indices);
  }

  /**
   * One element.
   *
   * @param i its number
   */
  record At(long i) implements Index {}

  /**
   * Elements start, start + step, ... below end.
   *
   * @param start the first
   * @param end after the last; what lies beyond the axis is cut off
   * @param step from one to the next
   */
  record Range(long start, long end, long step) implements Index {}

  /** A new axis. */
  record NewAxis() implements Index {}

  /** As many whole axes as are left. */
  record Rest() implements Index {}

  /**
   * The elements that a tensor names.
   *
   * @param indices int64 or bool
   */
  record Of(Tensor indices) implements Index {
    /** Refuses null. */
    public Of {
      TorchException.requireNonNull(indices, "indices");
    }
  }
}
