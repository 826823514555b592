// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.util.List;
import org.relaydiffusion.torch.Tensor;

/**
 * What carries the tensors of a {@link ProcessGroup}, which has made sure that all processes call
 * the same with the same types and shapes. One thread at a time.
 */
sealed interface Backend extends AutoCloseable permits GlooBackend, NcclBackend {
  /** All processes' numbers, one after the other, by rank; as many from each. */
  long[] exchange(long[] own) throws BackendException;

  /**
   * Copies root's elements into everybody's.
   *
   * @param tensors dense, with elements; changed
   */
  void broadcast(List<Tensor> tensors, int root) throws BackendException;

  /**
   * Combines everybody's elements; as {@link #broadcast}.
   *
   * @param how the combination
   */
  void allReduce(List<Tensor> tensors, Combination how) throws BackendException;

  /** How elements are combined. */
  enum Combination {
    SUM,
    PRODUCT,
    MIN,
    MAX,
    /** The sum, divided by the number of processes. */
    MEAN
  }

  /**
   * Puts everybody's elements one after the other.
   *
   * @param all dense, with room for all; changed
   * @param own dense, with elements
   */
  void allGather(Tensor all, Tensor own) throws BackendException;

  /** Throws what went wrong in the background since the last call. */
  void check() throws BackendException;

  /** Ends the connections, within some seconds. */
  @Override
  void close();
}
