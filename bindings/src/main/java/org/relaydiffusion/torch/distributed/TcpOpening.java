// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import org.relaydiffusion.torch.cpp.CppException;
import org.relaydiffusion.torch.cpp.CppStore;
import org.relaydiffusion.torch.cpp.CppStore.Role;

/**
 * Opens a TCP store. A client, whose server may come later, tries for a few seconds at a time, so
 * that an abandoned attempt soon ends; LibTorch's own attempt lasts as long as the whole timeout.
 */
final class TcpOpening implements Attempt.Call<CppStore> {
  private static final Duration LONGEST_TRY = Duration.ofSeconds(3);
  private static final Duration PAUSE = Duration.ofMillis(500);
  private static final String UNKNOWN_HOST = "the host name is not known";

  private final String host;
  private final int port;
  private final int worldSize;
  private final Role role;
  private final Duration timeout;
  private volatile boolean hostIsUnknown;

  TcpOpening(String host, int port, int worldSize, Role role, Duration timeout) {
    this.host = host;
    this.port = port;
    this.worldSize = worldSize;
    this.role = role;
    this.timeout = timeout;
  }

  /** What it waits for, and the reason where that is known. */
  String line() {
    return "waiting for the server at %s%s"
        .formatted(place(), hostIsUnknown ? ": " + UNKNOWN_HOST : "");
  }

  String place() {
    return host + ":" + port;
  }

  @Override
  public CppStore run() throws CppException {
    return role == Role.SERVER
        ? CppStore.tcp(host, port, worldSize, Role.SERVER, timeout)
        : connect();
  }

  private CppStore connect() throws CppException {
    long end = System.nanoTime() + timeout.toNanos();
    while (true) {
      Duration left = Duration.ofNanos(end - System.nanoTime());
      try {
        checkHost();
        Duration once = left.compareTo(LONGEST_TRY) < 0 ? left : LONGEST_TRY;
        CppStore store = CppStore.tcp(host, port, worldSize, Role.CLIENT, once);
        store.setTimeout(timeout);
        return store;
      } catch (CppException e) {
        if (end - System.nanoTime() <= PAUSE.toNanos()) {
          throw e;
        }
        pause(e);
      }
    }
  }

  private void checkHost() throws CppException {
    try {
      InetAddress _ = InetAddress.getByName(host);
      hostIsUnknown = false;
    } catch (UnknownHostException e) {
      hostIsUnknown = true;
      throw new CppException(UNKNOWN_HOST);
    }
  }

  private static void pause(CppException reason) throws CppException {
    try {
      Thread.sleep(PAUSE);
    } catch (InterruptedException _) {
      // Nobody waits for the connection any more.
      throw reason;
    }
  }
}
