// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.c10d;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.relaydiffusion.torch.c10d.Query.ProtocolException;

/**
 * One client of a server: what has come from it, and what it has not taken yet. Anyone can connect,
 * so it is not heard while it leaves answers lying, and the memory for what it sends and does not
 * take is of a budget that all clients share. Whatever goes wrong with it ends its connection
 * alone.
 */
final class ServedClient implements StoreTable.Waiter {
  private static final int FIRST_BUFFER = 512;

  /** The most bytes of one answer: several values of a client that asks for them at once. */
  private static final long LONGEST_ANSWER = 64L << 20;

  private final SocketChannel channel;
  private final SelectionKey key;
  private final StoreTable table;
  private final Budget buffers;
  private final long opened = System.nanoTime();
  private final Deque<ByteBuffer> out = new ArrayDeque<>();
  private ByteBuffer in = ByteBuffer.allocate(FIRST_BUFFER).order(ByteOrder.LITTLE_ENDIAN);
  private int needed = 1;
  private long held;
  private long unsent;
  private long begun;
  private boolean valid;

  /**
   * A client that has just connected.
   *
   * @param channel does not block
   */
  ServedClient(SocketChannel channel, Selector selector, StoreTable table, Budget buffers)
      throws IOException {
    this.channel = channel;
    this.table = table;
    this.buffers = buffers;
    this.key = channel.register(selector, SelectionKey.OP_READ, this);
  }

  /** Whether it has not said within {@code nanos} that it is a client. */
  boolean isSilent(long now, long nanos) {
    return !valid && now - opened > nanos;
  }

  /** Whether it began {@code nanos} ago to send a request that has no end. */
  boolean isSlow(long now, long nanos) {
    return in.position() > 0 && out.isEmpty() && now - begun > nanos;
  }

  /**
   * Reads what has come, and does it.
   *
   * @throws IOException if the connection has ended or has to
   */
  void read() throws IOException {
    if (!in.hasRemaining()) {
      grow();
    }
    if (in.position() == 0) {
      begun = System.nanoTime();
    }
    int read = channel.read(in);
    if (read < 0) {
      throw new ProtocolException("the client has left");
    }
    work();
  }

  /** A request is not longer than allowed, so this has an end; and it is full of what came. */
  private void grow() throws ProtocolException {
    buffers.take(in.capacity());
    held += in.capacity();
    in = ByteBuffer.allocate(2 * in.capacity()).order(ByteOrder.LITTLE_ENDIAN).put(in.flip());
  }

  /** Sends what it takes, and goes on with its requests when it has taken all. */
  void write() throws IOException {
    flush();
    begun = System.nanoTime();
    work();
  }

  private void work() throws IOException {
    in.flip();
    while (out.isEmpty() && in.remaining() >= needed) {
      Query query = Query.at(in);
      // Before it costs memory that the rest of it comes.
      if (valid == (query == Query.VALIDATE)) {
        throw new ProtocolException("%s at the wrong time".formatted(query));
      }
      int size = query.size(in);
      if (size > in.remaining()) {
        needed = size;
        break;
      }
      int end = in.position() + size;
      in.position(in.position() + 1);
      answer(query);
      if (in.position() != end) {
        throw new IllegalStateException(query + " was not read to its end");
      }
      needed = 1;
      begun = System.nanoTime();
      flush();
    }
    in.compact();
    listen();
    if (in.position() == 0 && in.capacity() > FIRST_BUFFER) {
      buffers.give(held);
      held = 0;
      in = ByteBuffer.allocate(FIRST_BUFFER).order(ByteOrder.LITTLE_ENDIAN);
    }
  }

  /** It is heard again when it has taken all that there is for it. */
  private void listen() {
    if (key.isValid()) {
      key.interestOps(out.isEmpty() ? SelectionKey.OP_READ : SelectionKey.OP_WRITE);
    }
  }

  private void flush() throws IOException {
    for (ByteBuffer next = out.peek(); next != null; next = out.peek()) {
      channel.write(next);
      if (next.hasRemaining()) {
        account();
        return;
      }
      out.remove();
    }
    account();
  }

  /** What it has not taken is in memory for it alone, if the table has something else by now. */
  private void account() throws ProtocolException {
    long now = 0;
    for (ByteBuffer each : out) {
      now += each.capacity();
    }
    long more = now - unsent;
    if (more > 0) {
      buffers.take(more);
    } else {
      buffers.give(-more);
    }
    unsent = now;
  }

  private void answer(Query query) throws ProtocolException {
    switch (query) {
      case VALIDATE -> validate();
      case SET -> table.set(key(), value());
      case COMPARE_SET -> sendValue(table.compareSet(key(), value(), value()));
      case GET -> sendValue(table.get(key()));
      case ADD -> sendLong(table.add(key(), in.getLong()));
      case CHECK -> sendByte(table.has(keys()) ? Query.READY : Query.NOT_READY);
      case WAIT -> stopIf(table.await(keys(), this));
      case GETNUMKEYS -> sendLong(table.size());
      case DELETE_KEY -> sendLong(table.delete(key()) ? 1 : 0);
      case APPEND -> table.append(key(), value());
      case MULTI_GET -> sendValues();
      case MULTI_SET -> setValues();
      case CANCEL_WAIT -> {
        table.cancel(this);
        sendByte(Query.WAIT_CANCELED);
      }
      case PING -> send(buffer(Integer.BYTES).putInt(in.getInt()).flip());
      case QUEUE_PUSH -> table.push(key(), value());
      case QUEUE_POP -> pop(key());
      case QUEUE_LEN -> sendLong(table.length(key()));
      case LIST_KEYS -> sendKeys();
      case BARRIER -> stopIf(table.barrier(key(), in.getLong(), this));
    }
  }

  private void validate() throws ProtocolException {
    if (in.getInt() != Query.MAGIC) {
      throw new ProtocolException("a client of something else");
    }
    valid = true;
  }

  private void stopIf(boolean ready) {
    if (ready) {
      sendByte(Query.STOP_WAITING);
    }
  }

  /** Another client has set what this one waits for, which is told when its turn comes. */
  @Override
  public void ready() {
    sendByte(Query.STOP_WAITING);
    listen();
  }

  private void pop(String key) {
    int length = table.length(key);
    byte[] first = table.pop(key);
    sendLong(length);
    if (first != null) {
      sendValue(first);
    }
  }

  private void sendValues() throws ProtocolException {
    List<byte[]> values = keys().stream().map(table::get).toList();
    long size = 0;
    for (byte[] value : values) {
      size += Long.BYTES + value.length;
    }
    checkAnswer(size);
    values.forEach(this::sendValue);
  }

  private void sendKeys() throws ProtocolException {
    List<String> keys = table.keys();
    long size = Long.BYTES;
    for (String key : keys) {
      size += Long.BYTES + key.length();
    }
    checkAnswer(size);
    ByteBuffer answer = buffer((int) size).putLong(keys.size());
    keys.forEach(key -> answer.putLong(key.length()).put(key.getBytes(ISO_8859_1)));
    send(answer.flip());
  }

  private static void checkAnswer(long size) throws ProtocolException {
    if (size > LONGEST_ANSWER) {
      throw new ProtocolException("an answer of %s bytes is too long".formatted(size));
    }
  }

  private void setValues() throws ProtocolException {
    long count = in.getLong();
    for (long i = 0; i < count; i++) {
      table.set(key(), value());
    }
  }

  /** Any bytes are a key: this character set maps them one to one. */
  private String key() {
    return new String(value(), ISO_8859_1);
  }

  private byte[] value() {
    byte[] bytes = new byte[(int) in.getLong()];
    in.get(bytes);
    return bytes;
  }

  private List<String> keys() {
    long count = in.getLong();
    List<String> keys = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      keys.add(key());
    }
    return keys;
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void sendByte(byte value) {
    send(buffer(1).put(value).flip());
  }

  private void sendLong(long value) {
    send(buffer(Long.BYTES).putLong(value).flip());
  }

  private void sendValue(byte[] value) {
    sendLong(value.length);
    if (value.length > 0) {
      send(ByteBuffer.wrap(value));
    }
  }

  private void send(ByteBuffer bytes) {
    out.add(bytes);
  }

  /** Takes it out of the table's lists, and ends the connection. */
  void end() {
    table.cancel(this);
    buffers.give(unsent + held);
    unsent = 0;
    held = 0;
    out.clear();
    in = ByteBuffer.allocate(FIRST_BUFFER).order(ByteOrder.LITTLE_ENDIAN);
    key.cancel();
    try {
      channel.close();
    } catch (IOException e) {
      // It has ended all the same.
    }
  }
}
