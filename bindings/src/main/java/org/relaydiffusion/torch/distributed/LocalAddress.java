// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.io.IOException;
import java.net.DatagramSocket;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.UnknownHostException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.relaydiffusion.torch.cpp.CppGroup.Addresses;
import org.relaydiffusion.torch.cpp.CppGroup.Addresses.Kind;

/**
 * Where this process listens for the others. Gloo's own choice is whatever the machine's name
 * stands for, which on many machines is an address that no other machine can reach.
 */
final class LocalAddress {
  /** Names of network interfaces, with commas between; as in Python. */
  static final String INTERFACES = "GLOO_SOCKET_IFNAME";

  private LocalAddress() {}

  /** The user's interfaces, else the address that fits the store. */
  static Addresses of(Store store) {
    String interfaces = System.getenv(INTERFACES);
    if (interfaces != null && !interfaces.isBlank()) {
      return new Addresses(
          Kind.INTERFACE, Stream.of(interfaces.split(",")).map(String::strip).toList());
    }
    return new Addresses(Kind.HOST, store.localAddress().stream().toList());
  }

  /**
   * The first of {@link #of} as an address of this machine; where nothing is known, that of its
   * name, or one at which others reach it.
   *
   * @throws IOException if there is no such interface, or it has no address
   */
  static InetAddress one(Store store) throws IOException {
    return one(of(store));
  }

  static InetAddress one(Addresses addresses) throws IOException {
    if (addresses.kind() == Kind.INTERFACE) {
      String name = addresses.names().getFirst();
      NetworkInterface found = NetworkInterface.getByName(name);
      List<InetAddress> all = found == null ? List.of() : found.inetAddresses().toList();
      return all.stream()
          .filter(Inet4Address.class::isInstance)
          .findFirst()
          .or(() -> all.stream().findFirst())
          .orElseThrow(() ->
              new IOException(
                  "%s names %s, which is no network interface with an address"
                      .formatted(INTERFACES, name)));
    }
    return addresses.names().isEmpty()
        ? ownName()
        : InetAddress.getByName(addresses.names().getFirst());
  }

  private static InetAddress ownName() throws IOException {
    InetAddress named;
    try {
      named = InetAddress.getLocalHost();
    } catch (UnknownHostException e) {
      return outside().orElse(InetAddress.getLoopbackAddress());
    }
    return named.isLoopbackAddress() ? outside().orElse(named) : named;
  }

  /** This machine's address on the way to a server; empty when there is no way. */
  static Optional<String> towards(String host, int port) {
    // A datagram socket sends nothing when it is connected, but is told the way.
    try (DatagramSocket socket = new DatagramSocket()) {
      InetAddress server = InetAddress.getByName(host);
      socket.connect(new InetSocketAddress(server, port));
      InetAddress local = socket.getLocalAddress();
      // A machine often knows its own name as a loopback address, by which no other reaches it.
      boolean namedAsLoopback = local.isLoopbackAddress() && !isLoopbackName(host);
      return Optional.of((namedAsLoopback ? outside().orElse(local) : local).getHostAddress());
    } catch (IOException | RuntimeException e) {
      return Optional.empty();
    }
  }

  private static boolean isLoopbackName(String host) {
    return host.equals("localhost") || host.startsWith("127.") || host.equals("::1");
  }

  /** An address at which other machines reach this one. */
  private static Optional<InetAddress> outside() throws IOException {
    List<NetworkInterface> interfaces = NetworkInterface.networkInterfaces().toList();
    for (NetworkInterface candidate : interfaces) {
      if (candidate.isUp() && !candidate.isLoopback()) {
        Optional<InetAddress> address =
            candidate
                .inetAddresses()
                .filter(Inet4Address.class::isInstance)
                .filter(a -> !a.isLinkLocalAddress())
                .findFirst();
        if (address.isPresent()) {
          return address;
        }
      }
    }
    return Optional.empty();
  }
}
