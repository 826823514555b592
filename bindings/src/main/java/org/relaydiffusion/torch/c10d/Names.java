// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.c10d;

import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Addresses of a host name. The system's resolver can take long and cannot be interrupted, so it
 * has a thread of its own, which is left behind where nobody waits for it any more.
 */
final class Names {
  /** What is said of a name that nobody knows. */
  static final String UNKNOWN = "the host name is not known";

  private Names() {}

  static List<InetAddress> of(String host, Deadline deadline) throws IOException {
    FutureTask<List<InetAddress>> task =
        new FutureTask<>(() -> List.of(InetAddress.getAllByName(host)));
    Thread.ofPlatform().daemon().name("rdm-resolver").start(task);
    while (true) {
      try {
        return task.get(deadline.slice(), TimeUnit.MILLISECONDS);
      } catch (TimeoutException e) {
        deadline.check("resolving " + host);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        deadline.check("");
      } catch (ExecutionException e) {
        if (e.getCause() instanceof UnknownHostException unknown) {
          throw unknown;
        }
        throw new IOException(e.getCause());
      }
    }
  }
}
