// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.c10d;

import java.io.Closeable;
import java.io.IOException;
import java.util.List;

/**
 * A table of keys and values that several processes see. Any thread may use it; every call ends at
 * its deadline with a {@link java.net.SocketTimeoutException}, and with a {@link
 * java.nio.channels.ClosedByInterruptException} when its thread is interrupted.
 */
public sealed interface StoreAccess extends Closeable permits TcpClient, FileTable {
  /** Sets a value. */
  void set(String key, byte[] value, Deadline deadline) throws IOException;

  /** Waits until a key has a value, and returns it. */
  byte[] get(String key, Deadline deadline) throws IOException;

  /** Adds to a counter, which begins at 0, and returns what it is then. */
  long add(String key, long amount, Deadline deadline) throws IOException;

  /** Whether all keys have values. */
  boolean has(List<String> keys, Deadline deadline) throws IOException;

  /**
   * Sets a value if the key's value is {@code expected}, where no value counts as an empty one.
   *
   * @return the value that the key has afterwards
   */
  byte[] compareSet(String key, byte[] expected, byte[] desired, Deadline deadline)
      throws IOException;

  /** Waits until all keys have values. */
  void await(List<String> keys, Deadline deadline) throws IOException;

  /** Leaves; calls in progress fail. */
  @Override
  void close() throws IOException;
}
