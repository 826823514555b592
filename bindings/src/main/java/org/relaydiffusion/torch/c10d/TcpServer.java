// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.c10d;

import java.io.Closeable;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A {@code TCPStore}'s server: one thread, which ends with it. It listens at all of this machine's
 * interfaces, as LibTorch's does, and knows no passwords; what strangers can do is described at
 * {@link ServedClient}.
 */
public final class TcpServer implements Closeable {
  private static final int BACKLOG = 4096;
  private static final int MOST_CLIENTS = 16 << 10;
  private static final long MOST_BYTES = 256L << 20;
  private static final long LOOK_MILLIS = 1000;
  private static final long SILENCE_NANOS = Duration.ofSeconds(30).toNanos();
  private static final long REQUEST_NANOS = Duration.ofMinutes(5).toNanos();
  private static final Duration LONGEST_END = Duration.ofSeconds(5);

  private final ServerSocketChannel listener;
  private final Selector selector;
  private final StoreTable table;
  private final Budget buffers;
  private final int port;
  private final Thread thread;
  private volatile boolean closed;

  private TcpServer(ServerSocketChannel listener, Selector selector) throws IOException {
    this.listener = listener;
    this.selector = selector;
    long most = Math.min(MOST_BYTES, Runtime.getRuntime().maxMemory() / 4);
    this.table = new StoreTable(most);
    this.buffers = new Budget(most);
    this.port = ((InetSocketAddress) listener.getLocalAddress()).getPort();
    this.thread =
        Thread.ofPlatform().daemon().name("rdm-store-" + port).unstarted(this::serveToTheEnd);
    listener.register(selector, SelectionKey.OP_ACCEPT);
  }

  /**
   * Begins to listen.
   *
   * @param port 0 takes a free one
   * @throws BindException with its reason, if it cannot be listened on
   */
  public static TcpServer start(int port) throws IOException {
    ServerSocketChannel listener = ServerSocketChannel.open();
    try {
      // Not on Windows, where it would let two servers listen at one port.
      if (!System.getProperty("os.name", "").startsWith("Windows")) {
        listener.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      }
      listener.bind(new InetSocketAddress(port), BACKLOG);
      listener.configureBlocking(false);
      TcpServer server = new TcpServer(listener, Selector.open());
      server.thread.start();
      return server;
    } catch (BindException e) {
      listener.close();
      BindException told = new BindException(Reasons.of(e, port));
      told.initCause(e);
      throw told;
    } catch (IOException | RuntimeException | Error e) {
      listener.close();
      throw e;
    }
  }

  /** Where it listens. */
  public int port() {
    return port;
  }

  private void serveToTheEnd() {
    try {
      serve();
    } catch (IOException e) {
      System.getLogger("org.relaydiffusion.torch")
          .log(System.Logger.Level.ERROR, "the store at port %s has ended".formatted(port), e);
    } finally {
      endAll();
    }
  }

  private void serve() throws IOException {
    long lastLook = System.nanoTime();
    while (!closed) {
      selector.select(this::served, LOOK_MILLIS);
      long now = System.nanoTime();
      if (now - lastLook > Duration.ofMillis(LOOK_MILLIS).toNanos()) {
        lastLook = now;
        for (SelectionKey key : selector.keys()) {
          if (key.attachment() instanceof ServedClient client
              && (client.isSilent(now, SILENCE_NANOS) || client.isSlow(now, REQUEST_NANOS))) {
            client.end();
          }
        }
      }
    }
  }

  private void served(SelectionKey key) {
    if (!key.isValid()) {
      return;
    }
    if (key.attachment() instanceof ServedClient client) {
      try {
        if (key.isReadable()) {
          client.read();
        }
        if (key.isWritable()) {
          client.write();
        }
      } catch (IOException | RuntimeException | OutOfMemoryError e) {
        // Its memory goes with it; the others are served all the same.
        client.end();
      }
    } else {
      accept();
    }
  }

  private void accept() {
    SocketChannel channel = null;
    boolean served = false;
    try {
      channel = listener.accept();
      if (channel == null) {
        return;
      }
      if (selector.keys().size() > MOST_CLIENTS) {
        return;
      }
      channel.configureBlocking(false);
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
      ServedClient _ = new ServedClient(channel, selector, table, buffers);
      served = true;
    } catch (IOException e) {
      // No file descriptors are left, say: those who are connected are served all the same.
      try {
        Thread.sleep(10);
      } catch (InterruptedException _) {
        // Nobody interrupts this thread.
      }
    } finally {
      if (!served) {
        close(channel);
      }
    }
  }

  private static void close(@Nullable SocketChannel channel) {
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      // It has ended all the same.
    }
  }

  private void endAll() {
    for (SelectionKey key : selector.keys()) {
      if (key.attachment() instanceof ServedClient client) {
        client.end();
      }
    }
    try (listener;
        selector) {
      closed = true;
    } catch (IOException e) {
      // They are closed all the same.
    }
  }

  /** Ends all connections and the thread, and gives the port back. */
  @Override
  public void close() {
    closed = true;
    selector.wakeup();
    boolean interrupted = false;
    long end = System.nanoTime() + LONGEST_END.toNanos();
    while (thread.isAlive() && System.nanoTime() - end < 0) {
      try {
        thread.join(Duration.ofMillis(100));
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
