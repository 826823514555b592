// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.c10d;

import org.relaydiffusion.torch.c10d.Query.ProtocolException;

/** The memory that all clients of a server share for what they send and do not take. One thread. */
final class Budget {
  private final long most;
  private long used;

  /** All of it is free. */
  Budget(long most) {
    this.most = most;
  }

  /** Takes bytes, or refuses them. */
  void take(long bytes) throws ProtocolException {
    if (used + bytes > most) {
      throw new ProtocolException("the clients need more than %s bytes".formatted(most));
    }
    used += bytes;
  }

  /** Gives bytes back. */
  void give(long bytes) {
    used -= bytes;
  }

  /** Bytes that are taken. */
  long used() {
    return used;
  }
}
