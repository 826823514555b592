// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.distributed.BackendException.Peers;

/**
 * Small messages between the processes of a group, in plain Java: each is connected with rank 0,
 * which gives everybody what all have brought. Since the system closes the connections of a process
 * that ends, however it ends, all others know of it at once.
 *
 * <p>Any thread may ask what is known; one thread at a time exchanges.
 */
final class ControlChannel implements AutoCloseable {
  private static final int SLICE_MILLIS = 100;

  private final int rank;
  private final int size;
  private final List<ChannelLink> links = new ArrayList<>();
  private final Map<Integer, Long> gone = new ConcurrentHashMap<>();
  private volatile @Nullable String lost;
  private volatile Runnable onLoss = () -> {};
  private boolean closed;

  private ControlChannel(int rank, int size) {
    this.rank = rank;
    this.size = size;
  }

  /**
   * Connects all processes; they must be about to do so.
   *
   * @param prefix what the keys begin with, the same in all processes and for this occasion alone
   * @throws org.relaydiffusion.torch.TorchException when not all come in time
   * @throws org.relaydiffusion.CancelledException when the thread is interrupted
   */
  static ControlChannel open(Store store, String prefix, int rank, int size, Duration timeout) {
    ControlChannel channel = new ControlChannel(rank, size);
    try {
      channel.link(ChannelOpening.of(store, prefix, timeout).connect(rank, size));
      channel.links.forEach(link -> link.start("rdm-channel-%s-%s".formatted(rank, link.peer())));
      return channel;
    } catch (IOException e) {
      channel.close();
      throw PeerLostException.orOther(store + ": " + e.getMessage(), String.valueOf(e));
    } catch (RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private void link(List<Socket> sockets) throws IOException {
    try {
      for (int i = 0; i < sockets.size(); i++) {
        int peer = rank == 0 ? i + 1 : 0;
        links.add(new ChannelLink(peer, sockets.get(i), listener()));
      }
    } finally {
      // Those that have become no link are nobody's.
      for (Socket socket : sockets.subList(links.size(), sockets.size())) {
        socket.close();
      }
    }
  }

  private ChannelLink.Listener listener() {
    return new ChannelLink.Listener() {
      @Override
      public void changed() {
        wake();
      }

      @Override
      public void lost(String reason) {
        fail(reason);
      }

      @Override
      public void left(int peer) {
        gone.putIfAbsent(peer, System.nanoTime());
        wake();
      }
    };
  }

  private synchronized void wake() {
    notifyAll();
  }

  /** Has {@code action} run, by any thread, when the group is broken; at once if it is. */
  void onLoss(Runnable action) {
    onLoss = action;
    if (lost != null) {
      action.run();
    }
  }

  /** Why the group is broken; empty while it is not. */
  Optional<String> lost() {
    return Optional.ofNullable(lost);
  }

  /**
   * That a process left in order {@code before} that time or earlier; what it had agreed to and
   * others still wait for will not come any more.
   */
  Optional<String> left(Duration before) {
    long now = System.nanoTime();
    return gone.entrySet().stream()
        .filter(e -> now - e.getValue() >= before.toNanos())
        .findFirst()
        .map(e -> left(e.getKey()));
  }

  private static String left(int peer) {
    return "rank %s has left".formatted(peer);
  }

  /** That a process has not taken for {@code limit} what this one sends: it is stopped, say. */
  Optional<String> stuck(Duration limit) {
    return links.stream()
        .filter(link -> link.hasSentFor(limit))
        .findFirst()
        .map(link ->
            "timed out after %s ms: rank %s does not take what is sent to it"
                .formatted(limit.toMillis(), link.peer()));
  }

  /** Breaks the group: all others are told why. What was known before stays the reason. */
  void fail(String reason) {
    synchronized (this) {
      if (lost != null || closed) {
        return;
      }
      lost = reason;
      notifyAll();
    }
    links.forEach(link -> link.breakOff(reason));
    onLoss.run();
  }

  /**
   * Everybody's bytes, by rank.
   *
   * @param limit how long the others are waited for; an interrupt does not end that
   */
  List<byte[]> gather(byte[] own, Duration limit) throws BackendException {
    long end = System.nanoTime() + limit.toNanos();
    try {
      if (rank != 0) {
        links.getFirst().send(own);
        return unpack(take(links.getFirst(), end, limit));
      }
      List<byte[]> all = new ArrayList<>();
      all.add(own);
      for (ChannelLink link : links) {
        all.add(take(link, end, limit));
      }
      byte[] packed = packed(all);
      for (ChannelLink link : links) {
        link.send(packed);
      }
      return all;
    } catch (IOException e) {
      fail("the connection to another rank has ended");
      throw new BackendException(lost().orElse("the group is closed"), Peers.LOST);
    }
  }

  private byte[] take(ChannelLink link, long end, Duration limit) throws BackendException {
    boolean interrupted = false;
    try {
      while (true) {
        byte[] next = link.inbox().poll();
        if (next != null) {
          return next;
        }
        String broken = lost;
        if (broken != null) {
          throw new BackendException(broken, Peers.LOST);
        }
        if (gone.containsKey(link.peer())) {
          fail(left(link.peer()));
          throw new BackendException(lost().orElse(left(link.peer())), Peers.LOST);
        }
        if (System.nanoTime() - end >= 0) {
          String late =
              "timed out after %s ms: %s did not come"
                  .formatted(
                      limit.toMillis(), rank == 0 ? "rank " + link.peer() : "not all other ranks");
          fail(late);
          throw new BackendException(late, Peers.LOST);
        }
        synchronized (this) {
          try {
            if (link.inbox().isEmpty() && lost == null) {
              wait(SLICE_MILLIS);
            }
          } catch (InterruptedException e) {
            interrupted = true;
          }
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private byte[] packed(List<byte[]> all) throws BackendException {
    try {
      return pack(all);
    } catch (BackendException e) {
      // The others wait for it.
      fail(e.reason());
      throw e;
    }
  }

  private static byte[] pack(List<byte[]> all) throws BackendException {
    long length = 0;
    for (byte[] each : all) {
      length += Integer.BYTES + each.length;
    }
    if (length > ChannelLink.LONGEST_FRAME) {
      throw new BackendException(
          "%s bytes of all processes are too many for one message".formatted(length),
          Peers.UNKNOWN);
    }
    ByteBuffer packed = ByteBuffer.allocate((int) length);
    all.forEach(each -> packed.putInt(each.length).put(each));
    return packed.array();
  }

  private List<byte[]> unpack(byte[] packed) throws BackendException {
    ByteBuffer rest = ByteBuffer.wrap(packed);
    List<byte[]> all = new ArrayList<>();
    while (rest.remaining() >= Integer.BYTES) {
      int length = rest.getInt();
      if (length < 0 || length > rest.remaining()) {
        break;
      }
      byte[] each = new byte[length];
      rest.get(each);
      all.add(each);
    }
    if (all.size() != size || rest.hasRemaining()) {
      throw new BackendException("rank 0 sent something else", Peers.UNKNOWN);
    }
    return all;
  }

  /** Leaves: the others' next exchange fails. */
  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
    }
    links.forEach(ChannelLink::leave);
  }
}
