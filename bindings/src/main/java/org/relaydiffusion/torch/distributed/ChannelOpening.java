// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.Closeable;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.CancelledException;

/**
 * How the connections of a {@link ControlChannel} are made. Rank 0 listens at the address that fits
 * the store, and leaves there where that is and a secret, which whoever connects has to know.
 */
final class ChannelOpening {
  private static final int SECRET_BYTES = 16;
  private static final int SLICE_MILLIS = 250;
  private static final int GREETING_MILLIS = 5000;
  private static final int CONNECT_MILLIS = 3000;

  private final Store store;
  private final String key;
  private final Duration timeout;
  private final long end;
  private final WaitNotices notices;
  private int missing;

  private ChannelOpening(Store store, String prefix, Duration timeout) {
    this.store = store;
    this.key = prefix + "/channel";
    this.timeout = timeout;
    this.end = System.nanoTime() + timeout.toNanos();
    this.notices = new WaitNotices(store.listener(), this::line);
  }

  /** An opening that begins now. */
  static ChannelOpening of(Store store, String prefix, Duration timeout) {
    return new ChannelOpening(store, prefix, timeout);
  }

  private String line() {
    return "waiting for %s of the other processes to connect".formatted(missing);
  }

  /**
   * The connections of rank 0 with all others, by rank; of another rank, the one with rank 0.
   *
   * @throws PeerLostException when they do not come in time
   */
  List<Socket> connect(int rank, int size) throws IOException {
    if (size == 1) {
      return List.of();
    }
    missing = rank == 0 ? size - 1 : 1;
    return rank == 0 ? listen(size) : List.of(reach(rank));
  }

  private List<Socket> listen(int size) throws IOException {
    byte[] secret = new byte[SECRET_BYTES];
    new SecureRandom().nextBytes(secret);
    @Nullable Socket[] found = new Socket[size];
    boolean whole = false;
    try (ServerSocket listener = new ServerSocket()) {
      listener.bind(new InetSocketAddress(LocalAddress.one(store), 0), size);
      listener.setSoTimeout(SLICE_MILLIS);
      store.set(
          key,
          "%s %s %s"
              .formatted(
                  listener.getInetAddress().getHostAddress(),
                  listener.getLocalPort(),
                  HexFormat.of().formatHex(secret))
              .getBytes(UTF_8));
      while (missing > 0) {
        accept(listener, secret, found);
      }
      whole = true;
    } finally {
      if (!whole) {
        closeAll(Arrays.asList(found));
      }
    }
    List<Socket> sockets = new ArrayList<>();
    for (Socket socket : found) {
      if (socket != null) {
        sockets.add(socket);
      }
    }
    return sockets;
  }

  private void accept(ServerSocket listener, byte[] secret, @Nullable Socket[] found)
      throws IOException {
    Socket socket;
    try {
      socket = listener.accept();
    } catch (SocketTimeoutException e) {
      check();
      return;
    }
    int rank;
    try {
      rank = greeted(socket, secret, found.length);
    } catch (IOException e) {
      rank = 0;
    }
    if (rank == 0 || found[rank] != null) {
      socket.close();
      check();
    } else {
      prepare(socket);
      found[rank] = socket;
      missing--;
    }
  }

  /** The rank of whoever knows the secret; 0 for a stranger. */
  private static int greeted(Socket socket, byte[] secret, int size) throws IOException {
    byte[] greeting = new byte[SECRET_BYTES + Integer.BYTES];
    // A stranger who says little, and that slowly, holds the others up this long at most.
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(GREETING_MILLIS);
    InputStream in = socket.getInputStream();
    for (int read = 0; read < greeting.length; ) {
      long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
      if (left <= 0) {
        return 0;
      }
      socket.setSoTimeout((int) left);
      int more = in.read(greeting, read, greeting.length - read);
      if (more < 0) {
        return 0;
      }
      read += more;
    }
    byte[] said = Arrays.copyOf(greeting, SECRET_BYTES);
    int rank = ByteBuffer.wrap(greeting).getInt(SECRET_BYTES);
    return MessageDigest.isEqual(said, secret) && rank > 0 && rank < size ? rank : 0;
  }

  private Socket reach(int rank) throws IOException {
    String[] parts = new String(store.get(key), UTF_8).split(" ", -1);
    if (parts.length != 3) {
      throw new IOException("rank 0 left no address");
    }
    InetSocketAddress address;
    byte[] secret;
    try {
      address = new InetSocketAddress(parts[0], Integer.parseInt(parts[1]));
      secret = HexFormat.of().parseHex(parts[2]);
    } catch (IllegalArgumentException e) {
      // Anyone may write to a store.
      throw new IOException("rank 0 left no address", e);
    }
    while (true) {
      Socket socket = new Socket();
      try {
        socket.connect(address, CONNECT_MILLIS);
        prepare(socket);
        DataOutputStream out = new DataOutputStream(socket.getOutputStream());
        out.write(secret);
        out.writeInt(rank);
        out.flush();
        return socket;
      } catch (IOException e) {
        socket.close();
        if (System.nanoTime() - end >= 0) {
          throw new IOException(
              "rank 0 cannot be reached at %s (there, %s names its network interface): %s"
                  .formatted(address, LocalAddress.INTERFACES, e.getMessage()),
              e);
        }
        check();
      }
    }
  }

  private static void prepare(Socket socket) throws IOException {
    socket.setSoTimeout(0);
    socket.setTcpNoDelay(true);
    socket.setKeepAlive(true);
  }

  private void check() {
    if (Thread.interrupted()) {
      throw CancelledException.interrupted(line(), new InterruptedException());
    }
    long now = System.nanoTime();
    if (now - end >= 0) {
      throw new PeerLostException(
          "%s: %s of the other processes did not connect within %s s"
              .formatted(store, missing, timeout.toSeconds()));
    }
    notices.tellIfDue(now);
  }

  private static void closeAll(List<? extends @Nullable Closeable> all) throws IOException {
    for (Closeable each : all) {
      if (each != null) {
        each.close();
      }
    }
  }
}
