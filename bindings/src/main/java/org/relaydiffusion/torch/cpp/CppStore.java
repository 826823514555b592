// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.cpp;

import java.time.Duration;
import java.util.List;
import org.bytedeco.javacpp.SizeTPointer;
import org.bytedeco.pytorch.ByteVector;
import org.bytedeco.pytorch.FileStore;
import org.bytedeco.pytorch.PrefixStore;
import org.bytedeco.pytorch.ProcessGroupGloo.GlooStore;
import org.bytedeco.pytorch.Store;
import org.bytedeco.pytorch.StringVector;
import org.bytedeco.pytorch.TCPStore;
import org.bytedeco.pytorch.TCPStoreOptions;
import org.relaydiffusion.nativeconfig.JniLibraries;

/** A {@code c10d::Store}. Several threads may use it; the last of them closes it. */
public final class CppStore implements AutoCloseable {
  private final Store store;
  private final int port;

  private CppStore(Store store, int port) {
    this.store = store;
    this.port = port;
  }

  /** Whether this process holds the values, or asks the one that does. */
  public enum Role {
    /** It listens. */
    SERVER,
    /** It connects. */
    CLIENT
  }

  /**
   * Listens or connects; does not wait for further processes.
   *
   * @param port 0, for a server, is any that is free
   * @throws org.relaydiffusion.nativeconfig.NativeLibraryException when the C++ classes cannot be
   *     loaded
   */
  public static CppStore tcp(String host, int port, int worldSize, Role role, Duration timeout)
      throws CppException {
    JniLibraries.load();
    return Cpp.call(() -> {
      TCPStoreOptions options =
          new TCPStoreOptions()
              .port((short) port)
              .isServer(role == Role.SERVER)
              .numWorkers(new SizeTPointer(1).put(worldSize))
              .waitWorkers(false)
              .timeout(Cpp.milliseconds(timeout));
      TCPStore made = Cpp.kept(new TCPStore(host, options));
      int actual = Short.toUnsignedInt(made.getPort());
      return new CppStore(shared(made), actual);
    });
  }

  /** Uses a file that all processes reach. */
  public static CppStore file(String path, int worldSize, Duration timeout) throws CppException {
    JniLibraries.load();
    return Cpp.call(() -> {
      Store shared = shared(Cpp.kept(new FileStore(path, worldSize)));
      shared.setTimeout(Cpp.milliseconds(timeout));
      return new CppStore(shared, 0);
    });
  }

  /**
   * Turns a store that was made with plain {@code new} into one that C++ counts references of.
   * JavaCPP makes stores the first way and hands them to process groups as if they were of the
   * second, so that each of two owners would free it. Here a third class takes it over as a new
   * object (with a count of one), gives out a counted reference, and goes; JavaCPP's own idea of
   * owning it is ended for good.
   *
   * @param made spared from the current call's end
   */
  private static Store shared(Store made) {
    Store counted = Cpp.kept(new GlooStore(made)._getStore());
    made.deallocate(false);
    return counted;
  }

  /** Another view of the same store, whose keys all begin with {@code prefix}. */
  public CppStore withPrefix(String prefix) throws CppException {
    return Cpp.call(() -> new CppStore(under(prefix), port));
  }

  Store under(String prefix) {
    return shared(Cpp.kept(new PrefixStore(prefix, store)));
  }

  /** The port that a TCP store uses. */
  public int port() {
    return port;
  }

  /** Changes how long {@link #get} waits. */
  public void setTimeout(Duration timeout) throws CppException {
    Cpp.run(() -> store.setTimeout(Cpp.milliseconds(timeout)));
  }

  /** Sets a value. */
  public void set(String key, byte[] value) throws CppException {
    Cpp.run(() -> store.set(key, new ByteVector(value)));
  }

  /** Waits for a value, for as long as the store's time-out says. */
  public byte[] get(String key) throws CppException {
    return Cpp.call(() -> store.get(key).get());
  }

  /** Adds to a counter, which begins at 0, and returns what it is then. */
  public long add(String key, long amount) throws CppException {
    return Cpp.call(() -> store.add(key, amount));
  }

  /** Whether all keys have values. */
  public boolean has(List<String> keys) throws CppException {
    return Cpp.call(() -> store.check(new StringVector(keys.toArray(String[]::new))));
  }

  /**
   * Sets a value if the key's value is {@code expected}, where no value counts as an empty one.
   *
   * @return the value that the key has afterwards
   */
  public byte[] compareSet(String key, byte[] expected, byte[] desired) throws CppException {
    return Cpp.call(
        () -> store.compareSet(key, new ByteVector(expected), new ByteVector(desired)).get());
  }

  /** Waits until all keys have values. */
  public void await(List<String> keys, Duration timeout) throws CppException {
    Cpp.run(() ->
        store._wait(new StringVector(keys.toArray(String[]::new)), Cpp.milliseconds(timeout)));
  }

  /** Gives this process's reference up; process groups have their own. */
  @Override
  public void close() {
    store.deallocate();
  }
}
