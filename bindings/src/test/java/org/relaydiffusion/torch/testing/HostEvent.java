// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.testing;

import java.util.List;

/**
 * A copy between the CPU and a simulated device, or a wait of the CPU for one.
 *
 * @param kind what it was
 * @param call the call that did it
 * @param stack where it was made, innermost first, without the frames of LibTorch's binding
 */
public record HostEvent(Kind kind, String call, List<StackTraceElement> stack) {
  private static final String BINDING = "org.relaydiffusion.torch.";
  private static final String PROJECT = "org.relaydiffusion.";
  private static final int FRAMES = 6;

  /** What can happen. */
  public enum Kind {
    /** From the CPU's pageable memory, which the CPU waits for. */
    UPLOAD(true, true),
    /** From pinned memory, while the CPU goes on. */
    UPLOAD_BEGUN(true, false),
    /** To the CPU, which waits for all that the device had to do before. */
    READ_BACK(true, true),
    /** To pinned memory, while the CPU goes on. */
    READ_BACK_BEGUN(true, false),
    /** From one device to another. */
    BETWEEN_DEVICES(true, false),
    /** An operator looks at its own result: how many elements there are, or whether it failed. */
    WAIT(false, true);

    private final boolean transfer;
    private final boolean wait;

    Kind(boolean transfer, boolean wait) {
      this.transfer = transfer;
      this.wait = wait;
    }

    /** Whether elements are copied. */
    public boolean isTransfer() {
      return transfer;
    }

    /** Whether the CPU waits. */
    public boolean isWait() {
      return wait;
    }
  }

  /** One that happens now, on this thread. */
  static HostEvent now(Kind kind, String call) {
    List<StackTraceElement> stack =
        StackWalker.getInstance()
            .walk(frames ->
                frames
                    .map(StackWalker.StackFrame::toStackTraceElement)
                    .filter(f -> f.getClassName().startsWith(PROJECT))
                    .filter(f -> !f.getClassName().startsWith(BINDING))
                    .limit(FRAMES)
                    .toList());
    return new HostEvent(kind, call, stack);
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(kind + " " + call);
    for (StackTraceElement frame : stack) {
      text.append("\n    at ").append(frame);
    }
    return text.toString();
  }
}
