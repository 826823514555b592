// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

/** Told, now and then, that a process is waiting for the others. */
@FunctionalInterface
public interface WaitListener {
  /** Nobody is told. */
  WaitListener NONE = _ -> {};

  /**
   * The process has been waiting for some seconds. Called by the thread that waits: after 5 s, then
   * ever less often.
   *
   * @param line for whom it waits, and where: {@code waiting for 1 of 2 processes at
   *     127.0.0.1:29500}
   */
  void waiting(String line);
}
