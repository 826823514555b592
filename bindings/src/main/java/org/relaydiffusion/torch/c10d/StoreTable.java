// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.c10d;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.c10d.Query.ProtocolException;

/**
 * The values, counters and queues of a server, and who waits for them. Arrays that are in it are
 * never changed. One thread.
 */
final class StoreTable {
  /** About what an entry needs beside its bytes. */
  private static final int ENTRY_BYTES = 100;

  private static final byte[] NOTHING = {};

  /** Whoever waits for keys. */
  interface Waiter {
    /** All of them have values now. */
    void ready();
  }

  private final Map<String, byte[]> values = new HashMap<>();
  private final Map<String, Deque<byte[]>> queues = new HashMap<>();
  private final Map<String, Set<Waiter>> waiting = new HashMap<>();
  private final Map<Waiter, Set<String>> missing = new HashMap<>();
  private final long mostBytes;
  private long bytes;

  /**
   * An empty table.
   *
   * @param mostBytes of keys, values and what is waited for
   */
  StoreTable(long mostBytes) {
    this.mostBytes = mostBytes;
  }

  private void account(long more) throws ProtocolException {
    if (more > 0 && bytes + more > mostBytes) {
      throw new ProtocolException("the store is full: %s bytes".formatted(mostBytes));
    }
    bytes += more;
  }

  private static long cost(String key, byte @Nullable [] value) {
    return value == null ? 0 : (long) ENTRY_BYTES + key.length() + value.length;
  }

  void set(String key, byte[] value) throws ProtocolException {
    account(cost(key, value) - cost(key, values.get(key)));
    values.put(key, value);
    wake(key);
  }

  /** The value, an empty one where there is none. */
  byte[] get(String key) {
    return values.getOrDefault(key, NOTHING);
  }

  byte[] compareSet(String key, byte[] expected, byte[] desired) throws ProtocolException {
    byte[] present = values.get(key);
    if (present == null ? expected.length == 0 : Arrays.equals(present, expected)) {
      set(key, desired);
      return desired;
    }
    // c10d's server answers so too: that a key has no value cannot be said.
    return present == null ? expected : present;
  }

  long add(String key, long amount) throws ProtocolException {
    long sum = number(key) + amount;
    set(key, Long.toString(sum).getBytes(US_ASCII));
    return sum;
  }

  private long number(String key) throws ProtocolException {
    byte[] present = values.get(key);
    if (present == null) {
      return 0;
    }
    try {
      return Long.parseLong(new String(present, US_ASCII).strip());
    } catch (NumberFormatException e) {
      throw new ProtocolException("a value that is no number cannot be added to");
    }
  }

  void append(String key, byte[] more) throws ProtocolException {
    byte[] present = get(key);
    if (present.length + more.length > Query.LONGEST_VALUE) {
      throw new ProtocolException("a value has at most %s bytes".formatted(Query.LONGEST_VALUE));
    }
    byte[] whole = Arrays.copyOf(present, present.length + more.length);
    System.arraycopy(more, 0, whole, present.length, more.length);
    set(key, whole);
  }

  boolean delete(String key) {
    byte[] value = values.remove(key);
    bytes -= cost(key, value);
    return value != null;
  }

  /** How many keys have values. */
  int size() {
    return values.size();
  }

  List<String> keys() {
    return List.copyOf(new TreeSet<>(values.keySet()));
  }

  void push(String key, byte[] value) throws ProtocolException {
    account(cost(key, value));
    queues.computeIfAbsent(key, _ -> new ArrayDeque<>()).addLast(value);
    // One element is for one of those who wait.
    Set<Waiter> waiters = waiting.getOrDefault(key, Set.of());
    waiters.stream().findFirst().ifPresent(waiter -> found(waiter, key));
  }

  /** The first element of a queue, which loses it; null where the queue is empty. */
  byte @Nullable [] pop(String key) {
    Deque<byte[]> queue = queues.get(key);
    if (queue == null) {
      return null;
    }
    byte[] first = queue.removeFirst();
    bytes -= cost(key, first);
    if (queue.isEmpty()) {
      queues.remove(key);
    }
    return first;
  }

  int length(String key) {
    Deque<byte[]> queue = queues.get(key);
    return queue == null ? 0 : queue.size();
  }

  boolean has(List<String> keys) {
    return keys.stream().allMatch(this::has);
  }

  private boolean has(String key) {
    return values.containsKey(key) || queues.containsKey(key);
  }

  /**
   * Waits for keys instead of what {@code waiter} waited for before.
   *
   * @return whether all have values already, so that there is nothing to wait for
   */
  boolean await(List<String> keys, Waiter waiter) throws ProtocolException {
    cancel(waiter);
    List<String> absent = keys.stream().filter(key -> !has(key)).distinct().toList();
    if (absent.isEmpty()) {
      return true;
    }
    register(absent, waiter);
    return false;
  }

  private void register(List<String> keys, Waiter waiter) throws ProtocolException {
    account(waitCost(keys));
    missing.put(waiter, new LinkedHashSet<>(keys));
    keys.forEach(key -> waiting.computeIfAbsent(key, _ -> new LinkedHashSet<>()).add(waiter));
  }

  private static long waitCost(Iterable<String> keys) {
    long cost = 0;
    for (String key : keys) {
      cost += ENTRY_BYTES + key.length();
    }
    return cost;
  }

  /**
   * Counts in a key's value, and waits until the count is {@code worldSize}.
   *
   * @return whether it is
   */
  boolean barrier(String key, long worldSize, Waiter waiter) throws ProtocolException {
    cancel(waiter);
    long count = number(key) + 1;
    byte[] counted = Long.toString(count).getBytes(US_ASCII);
    if (count >= worldSize) {
      set(key, counted);
      return true;
    }
    account(cost(key, counted) - cost(key, values.get(key)));
    values.put(key, counted);
    register(List.of(key), waiter);
    return false;
  }

  /** Waits no longer. */
  void cancel(Waiter waiter) {
    Set<String> keys = missing.remove(waiter);
    if (keys != null) {
      bytes -= waitCost(keys);
      keys.forEach(key -> forget(key, waiter));
    }
  }

  private void forget(String key, Waiter waiter) {
    Set<Waiter> waiters = waiting.get(key);
    if (waiters != null && waiters.remove(waiter) && waiters.isEmpty()) {
      waiting.remove(key);
    }
  }

  private void wake(String key) {
    List.copyOf(waiting.getOrDefault(key, Set.of())).forEach(waiter -> found(waiter, key));
  }

  private void found(Waiter waiter, String key) {
    forget(key, waiter);
    Set<String> keys = missing.get(waiter);
    if (keys != null && keys.remove(key)) {
      bytes -= waitCost(List.of(key));
      if (keys.isEmpty()) {
        missing.remove(waiter);
        waiter.ready();
      }
    }
  }
}
