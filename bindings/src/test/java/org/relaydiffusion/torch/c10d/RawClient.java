// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.c10d;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.Closeable;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A connection that says what a test wants, byte by byte. */
final class RawClient implements Closeable {
  private final Socket socket;

  RawClient(int port) throws IOException {
    socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(20_000);
  }

  /** A connection that has said that it is a client. */
  static RawClient valid(int port) throws IOException {
    return new RawClient(port).say((byte) 0, 0x3C85F7CE);
  }

  /** Bytes, ints and longs as they are; a text as its length and bytes, as keys and values are. */
  RawClient say(Object... parts) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
    for (Object part : parts) {
      switch (part) {
        case Byte b -> bytes.put(b);
        case Integer i -> bytes.putInt(i);
        case Long l -> bytes.putLong(l);
        case String s -> bytes.putLong(s.length()).put(s.getBytes(UTF_8));
        default -> throw new IllegalArgumentException(part.toString());
      }
    }
    socket.getOutputStream().write(bytes.array(), 0, bytes.position());
    return this;
  }

  RawClient raw(byte[] bytes) throws IOException {
    socket.getOutputStream().write(bytes);
    return this;
  }

  byte readByte() throws IOException {
    return read(1).get();
  }

  int readInt() throws IOException {
    return read(Integer.BYTES).getInt();
  }

  long readLong() throws IOException {
    return read(Long.BYTES).getLong();
  }

  String readText() throws IOException {
    return new String(read((int) readLong()).array(), UTF_8);
  }

  private ByteBuffer read(int size) throws IOException {
    byte[] bytes = socket.getInputStream().readNBytes(size);
    if (bytes.length < size) {
      throw new EOFException();
    }
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Whether the server has ended the connection, within the time-out. */
  boolean isEnded() throws IOException {
    try {
      return socket.getInputStream().read() < 0;
    } catch (SocketException e) {
      return true;
    }
  }

  /** Whether something has come. */
  boolean hasAnswer() throws IOException {
    return socket.getInputStream().available() > 0;
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
