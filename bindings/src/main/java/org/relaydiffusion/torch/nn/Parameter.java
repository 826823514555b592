// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.nn;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TorchException;

/**
 * A named place for one tensor of a module: its shape is known from the start, its value comes from
 * a file or an initialiser. The value belongs to the parameter.
 */
public final class Parameter implements AutoCloseable {
  /** Whether an optimizer may change it. */
  public enum Kind {
    /** Learned. */
    PARAMETER,
    /** Fixed, but saved with the parameters. */
    BUFFER
  }

  private final String name;
  private final Kind kind;
  private final long[] shape;
  private final Initializer initializer;
  private @Nullable Tensor value;

  Parameter(String name, Kind kind, Initializer initializer, long... shape) {
    this.name = name;
    this.kind = kind;
    this.initializer = TorchException.requireNonNull(initializer, "initializer");
    this.shape = TorchException.requireNonNull(shape, "shape").clone();
    if (Arrays.stream(shape).anyMatch(s -> s < 0)) {
      throw new TorchException(
          "parameter %s cannot have shape %s".formatted(name, Arrays.toString(shape)));
    }
  }

  /** The name within its module, e.g. {@code weight}. */
  public String name() {
    return name;
  }

  /** Learned or fixed. */
  public Kind kind() {
    return kind;
  }

  /** The shape that a value must have. */
  public long[] shape() {
    return shape.clone();
  }

  /** The number of elements. */
  public long numel() {
    long n = 1;
    for (long s : shape) {
      n *= s;
    }
    return n;
  }

  /** What fills it when a network is made new. */
  public Initializer initializer() {
    return initializer;
  }

  /** Whether it has a value now. */
  public boolean isSet() {
    return value != null;
  }

  /** The value, which stays the parameter's. */
  public Tensor value() {
    Tensor v = value;
    if (v == null) {
      throw new TorchException("parameter " + name + " has no value yet");
    }
    return v;
  }

  /**
   * Takes over {@code tensor} as the value and frees the one before, unless that is this one.
   *
   * @throws TorchException when it is closed, or of another shape; the value before then stays
   */
  public void set(Tensor tensor) {
    TorchException.requireNonNull(tensor, "tensor");
    if (tensor.isClosed()) {
      throw new TorchException("parameter %s cannot have a closed tensor".formatted(name));
    }
    if (!Arrays.equals(tensor.shape(), shape)) {
      throw new TorchException(
          "parameter %s has shape %s, not %s"
              .formatted(name, Arrays.toString(shape), Arrays.toString(tensor.shape())));
    }
    tensor.release();
    if (tensor != value) {
      close();
      value = tensor;
    }
  }

  /** Frees the value, if any. */
  @Override
  public void close() {
    Tensor v = value;
    value = null;
    if (v != null) {
      v.close();
    }
  }
}
