// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;

/**
 * A batch that is being filled, item by item, by any number of threads. Everything that is not
 * documented as thread-safe is guarded by the loader's lock.
 */
final class PendingBatch {
  private final ImageFolderDataset dataset;
  private final int[] indices;
  private final Tensor images;
  private final Tensor labels;
  private final MemorySegment imageMemory;
  private final MemorySegment labelMemory;
  private int begun;
  private int done;
  private @Nullable Throwable failure;
  private int failed;

  /**
   * Allocates the tensors, outside any scope; pinned if they are to be copied to a CUDA device.
   *
   * @param indices the items, in order; not copied
   */
  PendingBatch(ImageFolderDataset dataset, int[] indices, Device device) {
    this.dataset = dataset;
    this.indices = indices;
    int side = dataset.resolution();
    images = make(DType.UINT8, device, indices.length, dataset.channels(), side, side);
    try {
      labels = make(DType.FLOAT32, device, indices.length, dataset.labelDim());
    } catch (RuntimeException e) {
      images.close();
      throw e;
    }
    imageMemory = images.memory();
    labelMemory = labels.memory();
  }

  private static Tensor make(DType dtype, Device device, long... sizes) {
    // An empty tensor needs no copy, and LibTorch has no memory to pin for it.
    boolean pinned = device.type() == Device.Type.CUDA && sizes[1] > 0;
    Tensor made = pinned ? Torch.emptyPinned(dtype, sizes) : Torch.empty(dtype, Device.CPU, sizes);
    return made.release();
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
        image, 0, imageMemory, ValueLayout.JAVA_BYTE, (long) item * image.length, image.length);
    MemorySegment.copy(
        label,
        0,
        labelMemory,
        ValueLayout.JAVA_FLOAT,
        (long) item * label.length * Float.BYTES,
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
    try {
      check();
      Tensor pixels = onto(images, device);
      try {
        return new Batch(pixels, onto(labels, device), indices);
      } catch (RuntimeException e) {
        pixels.close();
        throw e;
      }
    } finally {
      close();
    }
  }

  private static Tensor onto(Tensor tensor, Device device) {
    return device.type() == Device.Type.CPU ? tensor.to(device) : Shapes.toAsync(tensor, device);
  }

  /** Frees the tensors; no thread may be decoding. */
  void close() {
    images.close();
    labels.close();
  }
}
