// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.c10d;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;

/**
 * A connection whose every wait, for the other side to take bytes as well as for it to send some,
 * has an end and can be interrupted. One thread at a time. After an exception it is of no use.
 */
final class Wire implements Closeable {
  private final SocketChannel channel;
  private final Selector selector;
  private final SelectionKey key;

  private Wire(SocketChannel channel, Selector selector) throws IOException {
    this.channel = channel;
    this.selector = selector;
    this.key = channel.register(selector, 0);
  }

  /** Connects. */
  static Wire open(InetSocketAddress address, Deadline deadline) throws IOException {
    SocketChannel channel = SocketChannel.open();
    Selector selector = null;
    try {
      channel.configureBlocking(false);
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      channel.setOption(StandardSocketOptions.SO_KEEPALIVE, true);
      selector = Selector.open();
      Wire wire = new Wire(channel, selector);
      if (!channel.connect(address)) {
        while (!channel.finishConnect()) {
          wire.await(SelectionKey.OP_CONNECT, deadline, "connecting");
        }
      }
      return wire;
    } catch (IOException | RuntimeException e) {
      if (selector != null) {
        selector.close();
      }
      channel.close();
      throw e;
    }
  }

  private void await(int operation, Deadline deadline, String what) throws IOException {
    key.interestOps(operation);
    while (true) {
      int ready = selector.select(deadline.slice());
      selector.selectedKeys().clear();
      if (Thread.currentThread().isInterrupted()) {
        throw new ClosedByInterruptException();
      }
      if (ready > 0) {
        return;
      }
      deadline.check(what);
    }
  }

  /** Sends all of {@code bytes}. */
  void send(ByteBuffer bytes, Deadline deadline) throws IOException {
    while (bytes.hasRemaining()) {
      if (channel.write(bytes) == 0) {
        await(SelectionKey.OP_WRITE, deadline, "sending");
      } else if (bytes.hasRemaining()) {
        // A few bytes now and then are not enough.
        deadline.check("sending");
      }
    }
  }

  /**
   * Receives exactly so many bytes, little-endian.
   *
   * @param what is waited for, for the message of a time-out
   * @throws EOFException if the other side has ended the connection
   */
  ByteBuffer receive(int size, Deadline deadline, String what) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      int read = channel.read(bytes);
      if (read < 0) {
        throw new EOFException("connection closed by peer");
      }
      if (read == 0) {
        await(SelectionKey.OP_READ, deadline, what);
      } else if (bytes.hasRemaining()) {
        deadline.check(what);
      }
    }
    return bytes.flip();
  }

  /** Whether bytes have come that nobody asked for, or the other side has gone: it is of no use. */
  boolean isStale() {
    try {
      return channel.read(ByteBuffer.allocate(1)) != 0;
    } catch (IOException e) {
      return true;
    }
  }

  @Override
  public void close() throws IOException {
    selector.close();
    channel.close();
  }
}
