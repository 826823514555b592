// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.io.Closeable;
import java.io.IOException;
import org.relaydiffusion.torch.c10d.StoreAccess;

/**
 * What a store, its views and the groups that were made over it use together: closed by the last of
 * them, and a server that this process keeps for the others after it.
 */
final class SharedAccess {
  private final StoreAccess access;
  private final Closeable server;
  private int users = 1;

  /** An access with one user. */
  SharedAccess(StoreAccess access, Closeable server) {
    this.access = access;
    this.server = server;
  }

  StoreAccess access() {
    return access;
  }

  /** A further user, who releases it once. */
  synchronized SharedAccess retain() {
    if (users == 0) {
      throw new IllegalStateException("already closed");
    }
    users++;
    return this;
  }

  /** One user less. */
  void release() {
    synchronized (this) {
      users--;
      if (users != 0) {
        return;
      }
    }
    try (server;
        access) {
      System.getLogger("org.relaydiffusion.torch")
          .log(System.Logger.Level.TRACE, "a store is left");
    } catch (IOException e) {
      System.getLogger("org.relaydiffusion.torch")
          .log(System.Logger.Level.DEBUG, "a store could not be left in order", e);
    }
  }
}
