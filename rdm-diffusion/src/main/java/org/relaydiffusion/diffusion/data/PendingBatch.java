// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.transfer.ByteLayout;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * A batch that is being filled, item by item, by any number of threads. Everything that is not
 * documented as thread-safe is guarded by the loader's lock.
 */
final class PendingBatch {
  private final ImageFolderDataset dataset;
  private final int[] indices;
  private final ByteLayout layout = new ByteLayout();
  private final int labels;
  private final int images;

  /** Both in one, so that they go to the device in one copy. */
  private final Tensor bytes;

  private final MemorySegment memory;
  private int begun;
  private int done;
  private @Nullable Throwable failure;
  private int failed;

  /**
   * Allocates the memory, outside any scope; pinned if it is to be copied to a CUDA device.
   *
   * @param indices the items, in order; not copied
   */
  PendingBatch(ImageFolderDataset dataset, int[] indices, Device device) {
    this.dataset = dataset;
    this.indices = indices;
    int side = dataset.resolution();
    labels = layout.add(DType.FLOAT32, indices.length, dataset.labelDim());
    images = layout.add(DType.UINT8, indices.length, dataset.channels(), side, side);
    bytes = layout.allocate(device).release();
    memory = bytes.memory();
  }

  /** Returns whether there are items to decode that no thread has taken. */
  boolean isOpen() {
    return begun < indices.length && failure == null;
  }

  /** Takes the next item for {@link #fill}. */
  int begin() {
    return begun++;
  }

  /**
   * Returns whether no thread is decoding, and none has to: all items are complete, or one failed.
   */
  boolean isDone() {
    return done == begun && !isOpen();
  }

  /** Marks an item as complete or failed. */
  void end(int item, @Nullable Throwable fault) {
    done++;
    // Keep the first failure in order, so that the message is deterministic: the items before it
    // have begun.
    if (fault != null && (failure == null || item < failed)) {
      failure = fault;
      failed = item;
    }
  }

  /** Decodes an item; called without the lock, and by one thread per item. */
  void fill(int item) {
    byte[] image = dataset.image(indices[item]);
    float[] label = dataset.label(indices[item]);
    MemorySegment.copy(
        image,
        0,
        memory,
        ValueLayout.JAVA_BYTE,
        layout.offset(images) + (long) item * image.length,
        image.length);
    MemorySegment.copy(
        label,
        0,
        memory,
        ValueLayout.JAVA_FLOAT,
        layout.offset(labels) + (long) item * label.length * Float.BYTES,
        label.length);
  }

  /**
   * Checks that all items are complete, once decoding is done.
   *
   * @throws RdmException if one has failed
   */
  void check() {
    Throwable fault = failure;
    if (fault instanceof RdmException known) {
      throw known;
    }
    if (fault != null) {
      throw new RdmException(
          "%s: cannot be read: %s".formatted(dataset.file(indices[failed]), fault), fault);
    }
  }

  /**
   * Transfers the batch to the caller's scope, and closes this object.
   *
   * @throws RdmException if an item has failed
   */
  Batch take(Device device) {
    try (TensorScope scope = TensorScope.open()) {
      check();
      Tensor there = ByteLayout.send(bytes, device);
      return new Batch(
          scope.keep(layout.part(there, images)), scope.keep(layout.part(there, labels)), indices);
    } finally {
      close();
    }
  }

  /** Frees the memory; no thread may be decoding. */
  void close() {
    bytes.close();
  }
}
