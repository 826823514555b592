// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.io.IOException;
import java.net.InetAddress;
import org.relaydiffusion.torch.c10d.Deadline;
import org.relaydiffusion.torch.c10d.TcpClient;
import org.relaydiffusion.torch.c10d.TcpServer;
import org.relaydiffusion.torch.distributed.TcpStore.Role;

/** Opens a TCP store; knows what it waits for meanwhile. */
final class TcpOpening implements Store.Opening {
  private static final String UNKNOWN_HOST = "the host name is not known";

  private final String host;
  private final Role role;
  private int port;
  private volatile String reason = "";

  TcpOpening(String host, int port, Role role) {
    this.host = host;
    this.port = port;
    this.role = role;
  }

  /** What it waits for, and the reason where that is of use. */
  String line() {
    return "waiting for the server at %s%s"
        .formatted(place(), reason.equals(UNKNOWN_HOST) ? ": " + UNKNOWN_HOST : "");
  }

  String place() {
    return host + ":" + port;
  }

  /** The port, once it is open also for a server that took a free one. */
  int port() {
    return port;
  }

  @Override
  public SharedAccess with(Deadline deadline) throws IOException {
    if (role == Role.CLIENT) {
      TcpClient client = TcpClient.connect(host, port, deadline, why -> reason = why);
      return new SharedAccess(client, () -> {});
    }
    TcpServer server = TcpServer.start(port);
    try {
      port = server.port();
      String here = InetAddress.getLoopbackAddress().getHostAddress();
      return new SharedAccess(TcpClient.connect(here, port, deadline, _ -> {}), server);
    } catch (IOException | RuntimeException e) {
      server.close();
      throw e;
    }
  }
}
