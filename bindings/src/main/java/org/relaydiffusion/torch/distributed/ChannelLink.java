// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.ReentrantLock;

/**
 * One connection of a {@link ControlChannel}. A thread reads what comes, so that the end of the
 * process on the other side, which the system tells by closing its connections, is known at once.
 *
 * <p>A frame: its kind (a byte), the length of its content (4 bytes), the content.
 */
final class ChannelLink {
  /** The most bytes of a frame: what all processes bring to one operation. */
  static final int LONGEST_FRAME = 256 << 20;

  private static final byte DATA = 1;
  private static final byte LOST = 2;
  private static final byte BYE = 3;

  private final int peer;
  private final Socket socket;
  private final DataInputStream in;
  private final DataOutputStream out;
  private final Listener listener;
  private final ReentrantLock writing = new ReentrantLock();
  private volatile long writingSince;
  private volatile boolean inWrite;
  private final BlockingQueue<byte[]> inbox = new LinkedBlockingQueue<>();

  /** Told by the reading thread what happens. */
  interface Listener {
    /** Something has come, or nothing more will. */
    void changed();

    /** The other side has ended, or cannot be reached, or tells that the group is broken. */
    void lost(String reason);

    /** The other side has left in order. */
    void left(int rank);
  }

  /**
   * A connection that is open.
   *
   * @param peer the rank on the other side
   */
  ChannelLink(int peer, Socket socket, Listener listener) throws IOException {
    this.peer = peer;
    this.socket = socket;
    this.listener = listener;
    this.in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
    this.out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
  }

  int peer() {
    return peer;
  }

  /** Begins to read. */
  void start(String name) {
    Thread _ = Thread.ofPlatform().daemon().name(name).start(this::read);
  }

  private void read() {
    try {
      while (true) {
        byte kind = in.readByte();
        int length = in.readInt();
        if (length < 0 || length > LONGEST_FRAME) {
          throw new IOException("a message of %s bytes".formatted(length));
        }
        byte[] content = in.readNBytes(length);
        if (content.length < length) {
          throw new IOException("a message is not whole");
        }
        switch (kind) {
          case DATA -> {
            inbox.add(content);
            listener.changed();
          }
          case LOST -> listener.lost(new String(content, UTF_8));
          case BYE -> {
            listener.left(peer);
            return;
          }
          default -> throw new IOException("a message of kind %s".formatted(kind));
        }
      }
    } catch (IOException e) {
      listener.lost("rank %s has ended: its connection was closed".formatted(peer));
    }
  }

  /** What has come and was not taken yet. */
  BlockingQueue<byte[]> inbox() {
    return inbox;
  }

  /** Sends what an operation needs. */
  void send(byte[] content) throws IOException {
    write(DATA, content);
  }

  private void write(byte kind, byte[] content) throws IOException {
    writing.lock();
    try {
      writingSince = System.nanoTime();
      inWrite = true;
      out.writeByte(kind);
      out.writeInt(content.length);
      out.write(content);
      out.flush();
    } finally {
      inWrite = false;
      writing.unlock();
    }
  }

  /** Whether a message has been sent for that long; {@link #cut} frees whoever sends it. */
  boolean hasSentFor(Duration limit) {
    return inWrite && System.nanoTime() - writingSince >= limit.toNanos();
  }

  /** Ends the connection, and says that the group is broken if the other side can be told. */
  void breakOff(String reason) {
    end(LOST, reason.getBytes(UTF_8));
  }

  /** Leaves in order. */
  void leave() {
    end(BYE, new byte[0]);
  }

  /** A few bytes, which the system takes at once unless a message before them is stuck. */
  private void end(byte kind, byte[] content) {
    try {
      if (writing.tryLock()) {
        try {
          write(kind, content);
        } finally {
          writing.unlock();
        }
      }
    } catch (IOException e) {
      // The other side sees that the connection has ended.
    }
    cut();
  }

  /** Ends the connection; a write or read that waits fails. */
  void cut() {
    try {
      socket.close();
    } catch (IOException e) {
      // It has ended all the same.
    }
  }
}
