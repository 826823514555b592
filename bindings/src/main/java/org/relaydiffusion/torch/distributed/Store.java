// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.c10d.Deadline;
import org.relaydiffusion.torch.c10d.Reasons;
import org.relaydiffusion.torch.c10d.StoreAccess;
import org.relaydiffusion.torch.cpp.CppException;
import org.relaydiffusion.torch.cpp.CppStore;

/**
 * A small table of keys and values that all processes of a job see, where they meet before they are
 * connected. Any thread may use it. It needs no LibTorch.
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

  private final SharedAccess shared;
  private final String prefix;
  private final Duration timeout;
  private final WaitListener listener;
  private int groups;
  private boolean closed;

  /**
   * A store that is open.
   *
   * @param shared this store's share, which it releases
   * @param prefix what all keys begin with, an empty text or one that ends with a slash
   */
  Store(SharedAccess shared, String prefix, Duration timeout, WaitListener listener) {
    this.shared = shared;
    this.prefix = prefix;
    this.timeout = timeout;
    this.listener = listener;
  }

  /** Opens what a store uses. */
  @FunctionalInterface
  interface Opening {
    SharedAccess with(Deadline deadline) throws IOException;
  }

  /**
   * Opens.
   *
   * @param place where it is to be, for messages
   * @param line what {@code listener} is told meanwhile
   */
  static SharedAccess opened(
      String place,
      Duration timeout,
      WaitListener listener,
      Supplier<String> line,
      Opening opening) {
    TorchException.requireNonNull(listener, "listener");
    return attempt("store " + place, timeout, new WaitNotices(listener, line), opening::with);
  }

  /** Where it is, for messages. */
  abstract String place();

  /**
   * The address at which this process listens for the others of a group that meets here; empty
   * where the machine's own name has to say.
   */
  abstract Optional<String> localAddress();

  /**
   * A store of LibTorch's for the same processes, for its C++ classes to meet at; the caller closes
   * it.
   *
   * @param name of the occasion, the same in all processes and for this one alone
   */
  abstract CppStore cppStore(String name, Duration limit) throws CppException;

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

  /** What all keys of this view begin with. */
  final String prefix() {
    return prefix;
  }

  /** Sets the value of a key, for all processes. */
  public final void set(String key, byte[] value) {
    TorchException.requireNonNull(key, "key");
    TorchException.requireNonNull(value, "value");
    use(
        "set " + key,
        (store, deadline) -> {
          store.set(prefix + key, value, deadline);
          return true;
        });
  }

  /** The value of a key; waits until it has one. */
  public final byte[] get(String key) {
    TorchException.requireNonNull(key, "key");
    return use("get " + key, (store, deadline) -> store.get(prefix + key, deadline));
  }

  /**
   * Adds to a counter that all processes share and that begins at 0. Its key is for counting alone.
   *
   * @return what it is then
   */
  public final long add(String key, long amount) {
    TorchException.requireNonNull(key, "key");
    return use("add to " + key, (store, deadline) -> store.add(prefix + key, amount, deadline));
  }

  /** Whether the key has a value; does not wait for one. */
  public final boolean has(String key) {
    TorchException.requireNonNull(key, "key");
    return use("look for " + key, (store, deadline) -> store.has(List.of(prefix + key), deadline));
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
    return use(
        "compare and set " + key,
        (store, deadline) -> store.compareSet(prefix + key, expected, desired, deadline));
  }

  /**
   * A view of this store whose keys all begin with {@code prefix}: what is set there is out of the
   * way of other keys. It has to be closed too, and stays usable when this store is closed.
   */
  public final synchronized Store withPrefix(String prefix) {
    TorchException.requireNonNull(prefix, "prefix");
    checkOpen();
    return new PrefixStore(this, shared.retain(), this.prefix + prefix + "/");
  }

  /** Waits until all these keys have a value, no longer than {@code atMost}. */
  public final void await(Duration atMost, String... keys) {
    for (String key : TorchException.requireNonNull(keys, "keys")) {
      TorchException.requireNonNull(key, "a key");
    }
    Duration limit = checked(atMost);
    List<String> all = Stream.of(keys).map(key -> prefix + key).toList();
    use(
        "waiting for " + String.join(", ", keys),
        limit,
        (store, deadline) -> {
          store.await(all, deadline);
          return true;
        });
  }

  /** The keys of the next group that is made over this store; the same in every process. */
  final synchronized String nextGroup() {
    return "rdm/group" + groups++;
  }

  /** Keeps what this store uses open, also when it is closed; the caller releases it. */
  final synchronized SharedAccess retain() {
    checkOpen();
    return shared.retain();
  }

  @FunctionalInterface
  private interface Use<T> {
    T of(StoreAccess store, Deadline deadline) throws IOException;
  }

  private <T> T use(String what, Use<T> use) {
    return use(what, timeout, use);
  }

  private <T> T use(String what, Duration limit, Use<T> use) {
    SharedAccess access = retain();
    try {
      String call = this + ": " + what;
      return attempt(
          call,
          limit,
          new WaitNotices(listener, () -> call),
          deadline -> use.of(access.access(), deadline));
    } finally {
      access.release();
    }
  }

  @FunctionalInterface
  private interface Attempted<T> {
    T with(Deadline deadline) throws IOException;
  }

  private static <T> T attempt(
      String what, Duration limit, WaitNotices notices, Attempted<T> attempted) {
    long start = System.nanoTime();
    try {
      return attempted.with(new Deadline(limit, () -> notices.tellIfDue(System.nanoTime())));
    } catch (SocketTimeoutException e) {
      throw Attempt.lost(what, start, Reasons.of(e));
    } catch (ClosedByInterruptException | InterruptedIOException e) {
      throw CancelledException.interrupted(what, e);
    } catch (IOException e) {
      throw Attempt.failed(what, start, Reasons.of(e));
    }
  }

  private void checkOpen() {
    if (closed) {
      throw new TorchException(this + " is closed");
    }
  }

  /**
   * Leaves the store; calls in progress end first. Groups that were made over it go on. Where the
   * server leaves, the store is over for all.
   */
  @Override
  public final synchronized void close() {
    if (!closed) {
      closed = true;
      shared.release();
    }
  }

  @Override
  public final String toString() {
    return "store " + place();
  }
}
