package org.relaydiffusion.torch.distributed;

import java.time.Duration;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.cpp.CppStore;
import org.relaydiffusion.torch.cpp.CppStore.Role;

/** A store that one process keeps and the others reach over the network ({@code TCPStore}). */
public final class TcpStore extends Store {
  private static final int HIGHEST_PORT = 65535;

  private final String host;

  /**
   * Serves or connects, and waits until all processes have connected.
   *
   * @param host the server's host name or address
   * @param port its port; 0, for the server alone, takes a free one and does not wait for the
   *     others, who cannot know it yet
   * @param worldSize how many processes there are, this one included
   * @param isServer whether this one is the server: true in exactly one of them
   * @param timeout how long to wait for the others, and later for a value
   * @throws OptionException when one of these cannot be
   * @throws org.relaydiffusion.torch.TorchException when the host is unknown, the port is in use,
   *     or the others do not come in time
   * @throws org.relaydiffusion.nativeconfig.NativeLibraryException when LibTorch is not the bundled
   *     one
   */
  public TcpStore(String host, int port, int worldSize, boolean isServer, Duration timeout) {
    super(
        host + ":" + port,
        checked(timeout),
        () ->
            CppStore.tcp(
                checkedHost(host),
                checkedPort(port, isServer),
                checkedSize(worldSize),
                isServer ? Role.SERVER : Role.CLIENT,
                timeout));
    this.host = host;
  }

  private static String checkedHost(String host) {
    if (host.isBlank()) {
      throw new OptionException("a store needs the server's host name or address");
    }
    return host;
  }

  private static int checkedPort(int port, boolean isServer) {
    if (port < (isServer ? 0 : 1) || port > HIGHEST_PORT) {
      throw new OptionException(
          "a port is a number from 1 to %s, not %s".formatted(HIGHEST_PORT, port));
    }
    return port;
  }

  @Override
  String place() {
    return host + ":" + port();
  }

  /** The server's host. */
  public String host() {
    return host;
  }

  /** The server's port. */
  public int port() {
    return nativePort();
  }
}
