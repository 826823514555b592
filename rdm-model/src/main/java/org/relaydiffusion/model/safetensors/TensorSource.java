// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.safetensors;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.TensorData;

/**
 * A tensor's elements in row-major order without gaps, handed out piece by piece, so that a file
 * can be written or summed without holding the tensor a second time.
 */
public interface TensorSource {
  /** No piece is longer than this many bytes. It is a multiple of every element size. */
  int CHUNK_BYTES = 1 << 20;

  /** The element type of the bytes handed out. */
  DType dtype();

  /** The sizes, outermost first. */
  long[] shape();

  /**
   * Hands every element to {@code consumer}, in order, little-endian, in pieces of whole elements.
   *
   * @throws IOException when the consumer throws it
   */
  void forEachChunk(ChunkConsumer consumer) throws IOException;

  /** Takes the pieces. */
  @FunctionalInterface
  interface ChunkConsumer {
    /**
     * Takes one piece.
     *
     * @param chunk valid only during the call
     */
    void accept(MemorySegment chunk) throws IOException;
  }

  /**
   * The elements of {@code data} as they are; strides other than row-major ones are resolved while
   * copying. The memory of {@code data} need not be aligned.
   */
  static TensorSource of(TensorData data) {
    return data.isContiguous() ? new DenseSource(data) : new StridedSource(data);
  }
}
