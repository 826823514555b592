// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.net.InetAddress;
import java.time.Duration;
import java.util.Optional;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.cpp.CppException;
import org.relaydiffusion.torch.cpp.CppStore;

/**
 * A store that one process keeps and the others reach over the network, in the wire format of
 * c10d's {@code TCPStore}: PyTorch's processes can join it, and it can join theirs.
 */
public final class TcpStore extends Store {
  private static final int HIGHEST_PORT = 65535;

  private final String host;
  private final int port;
  private final Role role;

  /** What a process is to the store. */
  public enum Role {
    /** It keeps the store: exactly one process does. */
    SERVER,
    /** It connects to the one that does. */
    CLIENT;

    /** Rank 0 is the server, as PyTorch has it. */
    public static Role ofRank(int rank) {
      return rank == 0 ? SERVER : CLIENT;
    }
  }

  /** As {@link #TcpStore(String, int, int, Role, Duration, WaitListener)}, telling nobody. */
  public TcpStore(String host, int port, int worldSize, Role role, Duration timeout) {
    this(host, port, worldSize, role, timeout, WaitListener.NONE);
  }

  /**
   * Serves or connects, and waits until all processes have come.
   *
   * @param host the server's host name or address; one that is not known yet is asked for again
   *     until the timeout is over
   * @param port its port; 0, for the server alone, takes a free one and does not wait for the
   *     others, who cannot know it yet
   * @param worldSize how many processes there are, this one included
   * @param role what this process is to the store
   * @param timeout how long to wait for the others, and later for a value
   * @param listener told while this process waits, here and in later calls
   * @throws OptionException when one of these cannot be
   * @throws org.relaydiffusion.torch.TorchException when the host is unknown, the port is in use,
   *     or the others do not come in time
   * @throws org.relaydiffusion.CancelledException when the thread is interrupted while it waits
   */
  public TcpStore(
      String host, int port, int worldSize, Role role, Duration timeout, WaitListener listener) {
    String checkedHost = checkedHost(host);
    TorchException.requireNonNull(role, "role");
    int checkedPort = checkedPort(port, role);
    int size = checkedSize(worldSize);
    TcpOpening opening = new TcpOpening(checkedHost, checkedPort, role);
    SharedAccess share =
        opened(opening.place(), checked(timeout), listener, opening::line, opening);
    super(share, "", timeout, listener);
    this.host = checkedHost;
    this.port = opening.port();
    this.role = role;
    try {
      Arrivals arrivals = new Arrivals(this, "rdm/processes", size, timeout);
      arrivals.register();
      if (port != 0) {
        arrivals.await(role);
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * Serves, and waits for nobody. Whoever reaches the port on any of this machine's interfaces can
   * read and set every key: a {@code TCPStore} knows no passwords.
   *
   * @param port 0 takes a free one
   * @param timeout how long to wait for a value
   * @throws org.relaydiffusion.torch.TorchException when the port is in use
   */
  public static TcpStore serve(int port, Duration timeout) {
    return new TcpStore("localhost", port, 1, Role.SERVER, timeout);
  }

  /**
   * Connects to a store that a process serves which counts nobody, such as torchrun's agent.
   *
   * @param timeout how long to try, and later to wait for a value
   * @param listener told while this process waits, here and in later calls
   * @throws org.relaydiffusion.torch.TorchException when the host is unknown or does not answer
   */
  public static TcpStore connect(String host, int port, Duration timeout, WaitListener listener) {
    return new TcpStore(host, port, 1, Role.CLIENT, timeout, listener);
  }

  private static String checkedHost(String host) {
    TorchException.requireNonNull(host, "host");
    if (host.isBlank()) {
      throw new OptionException("a store needs the server's host name or address");
    }
    return host;
  }

  private static int checkedPort(int port, Role role) {
    if (port < (role == Role.SERVER ? 0 : 1) || port > HIGHEST_PORT) {
      throw new OptionException(
          "a port is a number from 1 to %s, not %s".formatted(HIGHEST_PORT, port));
    }
    return port;
  }

  @Override
  String place() {
    return host + ":" + port;
  }

  @Override
  Optional<String> localAddress() {
    return LocalAddress.towards(host, port);
  }

  /** The server's host. */
  public String host() {
    return host;
  }

  /** The server's port. */
  public int port() {
    return port;
  }

  /** A client of LibTorch's at the same server: it keeps the keys of both apart by their names. */
  @Override
  CppStore cppStore(String name, Duration limit) throws CppException {
    String at = role == Role.SERVER ? InetAddress.getLoopbackAddress().getHostAddress() : host;
    return CppStore.tcpClient(at, port, limit);
  }
}
