// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import org.relaydiffusion.OptionException;

/**
 * Where a tensor lives.
 *
 * @param type CPU or CUDA
 * @param index which one of its type; 0 for the CPU
 */
public record Device(Type type, int index) {
  /** The processor's own memory. */
  public static final Device CPU = new Device(Type.CPU, 0);

  /**
   * Checks the index.
   *
   * @throws OptionException when no device can have it
   */
  public Device {
    TorchException.requireNonNull(type, "type");
    if (index < 0 || (type == Type.CPU && index != 0)) {
      throw new OptionException(
          "a %s device cannot have the index %s"
              .formatted(type == Type.CPU ? "cpu" : "cuda", index));
    }
  }

  /** The kinds of device. */
  public enum Type {
    /** The processor. */
    CPU(0),
    /** An NVIDIA GPU. */
    CUDA(1);

    private final int code;

    Type(int code) {
      this.code = code;
    }

    /** LibTorch's number ({@code c10::DeviceType}). */
    public int code() {
      return code;
    }
  }

  /** CUDA device {@code index}. */
  public static Device cuda(int index) {
    return new Device(Type.CUDA, index);
  }

  /**
   * Reads {@code cpu}, {@code cuda} or {@code cuda:1}.
   *
   * @throws OptionException for anything else
   */
  public static Device parse(String text) {
    TorchException.requireNonNull(text, "text");
    if (text.equals("cpu")) {
      return CPU;
    }
    if (text.matches("cuda(:\\d{1,3})?")) {
      return cuda(text.length() > 5 ? Integer.parseInt(text.substring(5)) : 0);
    }
    throw new OptionException("a device is 'cpu', 'cuda' or 'cuda:N', not '%s'".formatted(text));
  }

  @Override
  public String toString() {
    return type == Type.CPU ? "cpu" : "cuda:" + index;
  }
}
