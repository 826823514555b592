// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.cpp.CppException;
import org.relaydiffusion.torch.cpp.CppStore;

/**
 * A small table of keys and values that all processes of a job see, where they meet before they are
 * connected. Any thread may use it.
 *
 * <p>Every call that fails throws a {@link TorchException} that names the store, the call and the
 * time it took; a call that has to wait gives up after the store's timeout, or with a {@link
 * org.relaydiffusion.CancelledException} when its thread is interrupted. While it waits it tells
 * the store's {@link WaitListener}.
 */
public abstract sealed class Store implements AutoCloseable
    permits TcpStore, FileStore, PrefixStore {
  /** What nanoseconds can count; nobody waits so long. */
  private static final Duration LONGEST = Duration.ofDays(36_500);

  private final CppStore store;
  private final Duration timeout;
  private final WaitListener listener;
  private int groups;
  private int users;
  private boolean closed;

  /**
   * @param place where it is to be, for messages
   * @param line what {@code listener} is told while it is being opened
   */
  Store(
      String place,
      Duration timeout,
      WaitListener listener,
      Supplier<String> line,
      Attempt.Call<CppStore> open) {
    this.timeout = timeout;
    this.listener = TorchException.requireNonNull(listener, "listener");
    this.store = Attempt.within(timeout, "store " + place, open, new WaitNotices(listener, line));
  }

  /** Where it is, for messages. */
  abstract String place();

  /**
   * The address at which this process listens for the others of a group that meets here; empty
   * where the machine's own name has to say.
   */
  abstract Optional<String> localAddress();

  static Duration checked(Duration timeout) {
    TorchException.requireNonNull(timeout, "timeout");
    if (!timeout.isPositive() || timeout.compareTo(LONGEST) > 0) {
      throw new OptionException(
          "a timeout is longer than 0 and at most %s days, not %s"
              .formatted(LONGEST.toDays(), timeout));
    }
    return timeout;
  }

  static int checkedSize(int worldSize) {
    if (worldSize < 1) {
      throw new OptionException("a job has 1 process or more, not " + worldSize);
    }
    return worldSize;
  }

  /** How long a call waits. */
  public final Duration timeout() {
    return timeout;
  }

  /** Who is told that a call takes long. */
  final WaitListener listener() {
    return listener;
  }

  /** Sets the value of a key, for all processes. */
  public final void set(String key, byte[] value) {
    TorchException.requireNonNull(key, "key");
    TorchException.requireNonNull(value, "value");
    use(
        "set " + key,
        s -> {
          s.set(key, value);
          return true;
        });
  }

  /** The value of a key; waits until it has one. */
  public final byte[] get(String key) {
    TorchException.requireNonNull(key, "key");
    return use("get " + key, s -> s.get(key));
  }

  /**
   * Adds to a counter that all processes share and that begins at 0. Its key is for counting alone.
   *
   * @return what it is then
   */
  public final long add(String key, long amount) {
    TorchException.requireNonNull(key, "key");
    return use("add to " + key, s -> s.add(key, amount));
  }

  /** Whether the key has a value; does not wait for one. */
  public final boolean has(String key) {
    TorchException.requireNonNull(key, "key");
    return use("look for " + key, s -> s.has(List.of(key)));
  }

  /**
   * Sets the value of a key if it is {@code expected}, in one step that no other process comes
   * between. A key without a value counts as one whose value is empty.
   *
   * @return the value that the key has afterwards: {@code desired}, or what another process set
   */
  public final byte[] compareSet(String key, byte[] expected, byte[] desired) {
    TorchException.requireNonNull(key, "key");
    TorchException.requireNonNull(expected, "expected");
    TorchException.requireNonNull(desired, "desired");
    return use("compare and set " + key, s -> s.compareSet(key, expected, desired));
  }

  /**
   * A view of this store whose keys all begin with {@code prefix}: what is set there is out of the
   * way of other keys. It has to be closed too, and stays usable when this store is closed.
   */
  public final Store withPrefix(String prefix) {
    TorchException.requireNonNull(prefix, "prefix");
    return new PrefixStore(this, prefix);
  }

  /** Waits until all these keys have a value, no longer than {@code atMost}. */
  public final void await(Duration atMost, String... keys) {
    for (String key : TorchException.requireNonNull(keys, "keys")) {
      TorchException.requireNonNull(key, "a key");
    }
    Duration limit = checked(atMost);
    use(
        "waiting for " + String.join(", ", keys),
        limit,
        s -> {
          s.await(List.of(keys), limit);
          return true;
        });
  }

  /** The keys of the next group that is made over this store; the same in every process. */
  final synchronized String nextGroup() {
    return "rdm/group" + groups++;
  }

  @FunctionalInterface
  interface Use<T> {
    T of(CppStore store) throws CppException;
  }

  private <T> T use(String what, Use<T> use) {
    return use(what, timeout, use);
  }

  /** Calls with the native store, which stays open for as long as that lasts. */
  final <T> T use(String what, Duration limit, Use<T> use) {
    acquire();
    String call = this + ": " + what;
    return Attempt.within(
        limit, call, () -> use.of(store), this::release, new WaitNotices(listener, () -> call));
  }

  private synchronized void acquire() {
    if (closed) {
      throw new TorchException(this + " is closed");
    }
    users++;
  }

  private synchronized void release() {
    users--;
    closeIfIdle();
  }

  private void closeIfIdle() {
    if (closed && users == 0) {
      users = -1; // Only once.
      store.close();
    }
  }

  /** The port, for a store that has one. */
  final int nativePort() {
    return store.port();
  }

  /**
   * Leaves the store; calls in progress end first. Groups that were made over it go on. Where the
   * server leaves, the store is over for all.
   */
  @Override
  public final synchronized void close() {
    if (!closed) {
      closed = true;
      closeIfIdle();
    }
  }

  @Override
  public final String toString() {
    return "store " + place();
  }
}
