// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

/** The order in which a [N, C, H, W] tensor's elements lie in memory. */
public enum MemoryFormat {
  /** Row-major: channel by channel. */
  CONTIGUOUS(0),
  /** Pixel by pixel, the channels of each side by side: what convolutions like best on a CPU. */
  CHANNELS_LAST(2);

  private final int code;

  MemoryFormat(int code) {
    this.code = code;
  }

  /** LibTorch's number ({@code c10::MemoryFormat}). */
  public int code() {
    return code;
  }
}
