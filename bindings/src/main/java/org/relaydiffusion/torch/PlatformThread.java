// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

/**
 * What LibTorch keeps by the system's thread is not for virtual threads: one that waits, for a lock
 * inside the class library say, may go on on another thread of the system.
 */
final class PlatformThread {
  private PlatformThread() {}

  /**
   * Refuses a virtual thread.
   *
   * @param what cannot be had on one
   */
  static void require(String what) {
    if (Thread.currentThread().isVirtual()) {
      throw new TorchException(
          "%s cannot be opened on a virtual thread: use a platform thread".formatted(what));
    }
  }
}
