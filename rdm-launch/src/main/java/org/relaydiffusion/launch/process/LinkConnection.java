package org.relaydiffusion.launch.process;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.util.function.Consumer;

/** A connection between two launchers. Threads may share its sending side. */
final class LinkConnection implements AutoCloseable {
  private static final long PING_MILLIS = 2_000;

  /** A machine that says nothing for so long has lost its power or its network. */
  private static final int SILENCE_MILLIS = 20_000;

  private final Socket socket;
  private final DataInputStream in;
  private final DataOutputStream out;

  /**
   * Takes over a connected socket.
   *
   * @throws IOException when it has been closed already; the socket is closed then
   */
  LinkConnection(Socket socket) throws IOException {
    this.socket = socket;
    try {
      socket.setTcpNoDelay(true);
      this.in = new DataInputStream(new BufferedInputStream(socket.getInputStream()));
      this.out = new DataOutputStream(new BufferedOutputStream(socket.getOutputStream()));
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /** Sends a message; one that cannot be sent is noticed by the reading side. */
  synchronized void send(Message message) {
    try {
      Message.write(message, out);
      out.flush();
    } catch (IOException e) {
      close();
    }
  }

  /**
   * Waits for one message.
   *
   * @param millis the longest time between two bytes
   * @throws IOException when none comes
   */
  Message receive(int millis) throws IOException {
    socket.setSoTimeout(millis);
    return Message.read(in);
  }

  /** Shows the other side, again and again, that this one is there. */
  void startPinging() {
    thread("rdm-link-ping", this::ping);
  }

  /**
   * Reads on in the background.
   *
   * @param heard told of every message but pings
   * @param lost told once, when nothing more comes
   */
  void startReading(Consumer<Message> heard, Runnable lost) {
    thread("rdm-link-read", () -> read(heard, lost));
  }

  private void read(Consumer<Message> heard, Runnable lost) {
    try {
      while (true) {
        Message message = receive(SILENCE_MILLIS);
        if (!(message instanceof Message.Ping)) {
          heard.accept(message);
        }
      }
    } catch (IOException e) {
      close();
      lost.run();
    }
  }

  private void ping() {
    try {
      while (!socket.isClosed()) {
        send(new Message.Ping());
        Thread.sleep(PING_MILLIS);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void thread(String name, Runnable work) {
    Thread.ofPlatform().daemon().name(name).start(work);
  }

  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      // It is of no more use either way.
    }
  }
}
