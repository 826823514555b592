// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.c10d;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A client of a {@code TCPStore}'s server, LibTorch's or ours. Each call has a connection of its
 * own while it lasts, so that a thread that waits holds up no other; a connection whose call fails,
 * times out or is interrupted is given up, the others are kept for the next call.
 */
public final class TcpClient implements StoreAccess {
  private static final Duration LONGEST_TRY = Duration.ofSeconds(3);
  private static final long PAUSE_MILLIS = 200;
  private static final int MOST_IDLE = 4;

  /** More than any server that keeps to c10d's limits can have. */
  private static final int LONGEST_ANSWER = 64 << 20;

  private final String host;
  private final int port;
  private final Deque<Wire> idle = new ArrayDeque<>();
  private volatile @Nullable InetAddress answered;
  private boolean closed;

  private TcpClient(String host, int port) {
    this.host = host;
    this.port = port;
  }

  /**
   * Connects; tries until the deadline, since the server may come later, or its name.
   *
   * @param reason told why the last attempt failed, an empty text for an attempt that goes on
   */
  public static TcpClient connect(String host, int port, Deadline deadline, Consumer<String> reason)
      throws IOException {
    TcpClient client = new TcpClient(host, port);
    while (true) {
      String why;
      try {
        client.give(client.open(deadline.atMost(LONGEST_TRY)));
        return client;
      } catch (ClosedByInterruptException e) {
        throw e;
      } catch (UnknownHostException e) {
        why = Names.UNKNOWN;
      } catch (SocketTimeoutException e) {
        why = "no answer";
      } catch (IOException e) {
        why = Reasons.of(e);
      }
      reason.accept(why);
      try {
        deadline.pause(PAUSE_MILLIS, "");
      } catch (SocketTimeoutException e) {
        throw new SocketTimeoutException("%s: %s".formatted(e.getMessage(), why));
      }
    }
  }

  private Wire open(Deadline deadline) throws IOException {
    IOException last = null;
    List<InetAddress> addresses = inOrder(Names.of(host, deadline));
    for (int i = 0; i < addresses.size(); i++) {
      InetAddress address = addresses.get(i);
      // One that never answers leaves time to the others.
      int left = addresses.size() - i;
      Deadline share =
          left == 1
              ? deadline
              : deadline.atMost(Duration.ofMillis(1 + deadline.millisLeft() / left));
      try {
        Wire wire = Wire.open(new InetSocketAddress(address, port), share);
        try {
          greet(wire, share);
          answered = address;
          return wire;
        } catch (IOException e) {
          wire.close();
          throw e;
        }
      } catch (ClosedByInterruptException e) {
        throw e;
      } catch (IOException e) {
        last = e;
      } catch (UnresolvedAddressException e) {
        last = new UnknownHostException(host);
      }
    }
    throw last == null ? new UnknownHostException(host) : last;
  }

  /** The one that answered last comes first. */
  private List<InetAddress> inOrder(List<InetAddress> addresses) {
    InetAddress first = answered;
    if (first == null || !addresses.contains(first)) {
      return addresses;
    }
    List<InetAddress> ordered = new ArrayList<>(addresses);
    ordered.remove(first);
    ordered.addFirst(first);
    return ordered;
  }

  /** A server that is not one of this kind does not answer the number. */
  private static void greet(Wire wire, Deadline deadline) throws IOException {
    int nonce = ThreadLocalRandom.current().nextInt();
    wire.send(Request.of(Query.VALIDATE).number(Query.MAGIC).bytes(), deadline);
    wire.send(Request.of(Query.PING).number(nonce).bytes(), deadline);
    int answer = wire.receive(Integer.BYTES, deadline, "no answer").getInt();
    if (answer != nonce) {
      throw new Query.ProtocolException("what listens there is no TCPStore");
    }
  }

  @FunctionalInterface
  private interface Exchange<T> {
    T with(Wire wire) throws IOException;
  }

  private <T> T call(Deadline deadline, Exchange<T> exchange) throws IOException {
    Wire wire = take(deadline);
    boolean whole = false;
    try {
      T result = exchange.with(wire);
      whole = true;
      return result;
    } finally {
      if (whole) {
        give(wire);
      } else {
        wire.close();
      }
    }
  }

  private Wire take(Deadline deadline) throws IOException {
    while (true) {
      Wire wire = poll();
      if (wire == null) {
        return open(deadline);
      }
      if (!wire.isStale()) {
        return wire;
      }
      wire.close();
    }
  }

  private synchronized @Nullable Wire poll() throws IOException {
    if (closed) {
      throw new IOException("the store is closed");
    }
    return idle.pollLast();
  }

  private void give(Wire wire) throws IOException {
    synchronized (this) {
      if (!closed && idle.size() < MOST_IDLE) {
        idle.addLast(wire);
        return;
      }
    }
    wire.close();
  }

  @Override
  public void set(String key, byte[] value, Deadline deadline) throws IOException {
    ByteBuffer request = Request.of(Query.SET).key(key).value(value).bytes();
    call(
        deadline,
        wire -> {
          wire.send(request, deadline);
          // It has no answer of its own. The next request's says that it has arrived, so that a
          // value set here is seen by whoever asks later through another connection.
          return ping(wire, deadline);
        });
  }

  private static int ping(Wire wire, Deadline deadline) throws IOException {
    wire.send(Request.of(Query.PING).number(0).bytes(), deadline);
    return wire.receive(Integer.BYTES, deadline, "no answer").getInt();
  }

  @Override
  public byte[] get(String key, Deadline deadline) throws IOException {
    ByteBuffer request = Request.of(Query.GET).key(key).bytes();
    List<String> keys = List.of(key);
    return call(
        deadline,
        wire -> {
          await(wire, keys, deadline);
          wire.send(request, deadline);
          return value(wire, deadline);
        });
  }

  private static byte[] value(Wire wire, Deadline deadline) throws IOException {
    long size = wire.receive(Long.BYTES, deadline, "no answer").getLong();
    if (size < 0 || size > LONGEST_ANSWER) {
      throw new Query.ProtocolException("the server announces a value of %s bytes".formatted(size));
    }
    return wire.receive((int) size, deadline, "no answer").array();
  }

  @Override
  public long add(String key, long amount, Deadline deadline) throws IOException {
    ByteBuffer request = Request.of(Query.ADD).key(key).number(amount).bytes();
    return call(
        deadline,
        wire -> {
          wire.send(request, deadline);
          return wire.receive(Long.BYTES, deadline, "no answer").getLong();
        });
  }

  @Override
  public boolean has(List<String> keys, Deadline deadline) throws IOException {
    ByteBuffer request = Request.of(Query.CHECK).keys(keys).bytes();
    return call(
        deadline,
        wire -> {
          wire.send(request, deadline);
          return wire.receive(1, deadline, "no answer").get() == Query.READY;
        });
  }

  @Override
  public byte[] compareSet(String key, byte[] expected, byte[] desired, Deadline deadline)
      throws IOException {
    ByteBuffer request =
        Request.of(Query.COMPARE_SET).key(key).value(expected).value(desired).bytes();
    return call(
        deadline,
        wire -> {
          wire.send(request, deadline);
          return value(wire, deadline);
        });
  }

  @Override
  public void await(List<String> keys, Deadline deadline) throws IOException {
    call(
        deadline,
        wire -> {
          await(wire, keys, deadline);
          return true;
        });
  }

  private static void await(Wire wire, List<String> keys, Deadline deadline) throws IOException {
    wire.send(Request.of(Query.WAIT).keys(keys).bytes(), deadline);
    byte answer =
        wire.receive(1, deadline, "keys without a value: " + String.join(", ", keys)).get();
    if (answer != Query.STOP_WAITING) {
      throw new Query.ProtocolException("the server answers a wait with %s".formatted(answer));
    }
  }

  @Override
  public void close() throws IOException {
    List<Wire> all;
    synchronized (this) {
      closed = true;
      all = List.copyOf(idle);
      idle.clear();
    }
    for (Wire wire : all) {
      wire.close();
    }
  }
}
