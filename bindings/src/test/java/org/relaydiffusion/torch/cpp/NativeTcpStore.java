// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.cpp;

import java.time.Duration;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.ByteVector;
import org.bytedeco.pytorch.StringVector;
import org.bytedeco.pytorch.TCPStore;
import org.bytedeco.pytorch.TCPStoreOptions;
import org.relaydiffusion.nativeconfig.JniLibraries;

/** LibTorch's own TCPStore, as a server or a client, for tests against ours. */
public final class NativeTcpStore implements AutoCloseable {
  /** Which of LibTorch's two servers. */
  public enum Kind {
    LIBUV,
    LEGACY
  }

  private final TCPStore store;

  private NativeTcpStore(TCPStore store) {
    this.store = store;
  }

  public static NativeTcpStore server(Kind kind) {
    return make(0, true, kind);
  }

  public static NativeTcpStore client(int port) {
    return make(port, false, Kind.LIBUV);
  }

  private static NativeTcpStore make(int port, boolean server, Kind kind) {
    JniLibraries.load();
    try (PointerScope _ = new PointerScope()) {
      TCPStoreOptions options =
          new TCPStoreOptions()
              .port((short) port)
              .isServer(server)
              .waitWorkers(false)
              .useLibUV(kind == Kind.LIBUV)
              .timeout(new Milliseconds(Duration.ofSeconds(20).toMillis()));
      TCPStore made = new TCPStore("127.0.0.1", options);
      made.retainReference();
      return new NativeTcpStore(made);
    }
  }

  public int port() {
    return Short.toUnsignedInt(store.getPort());
  }

  public void set(String key, byte[] value) {
    store.set(key, new ByteVector(value));
  }

  public byte[] get(String key) {
    return store.get(key).get();
  }

  public long add(String key, long amount) {
    return store.add(key, amount);
  }

  public boolean has(String... keys) {
    return store.check(new StringVector(keys));
  }

  public byte[] compareSet(String key, byte[] expected, byte[] desired) {
    return store.compareSet(key, new ByteVector(expected), new ByteVector(desired)).get();
  }

  public void await(Duration limit, String... keys) {
    store._wait(new StringVector(keys), new Milliseconds(limit.toMillis()));
  }

  public boolean delete(String key) {
    return store.deleteKey(key);
  }

  public long size() {
    return store.getNumKeys();
  }

  public void append(String key, byte[] more) {
    store.append(key, new ByteVector(more));
  }

  @Override
  public void close() {
    store.deallocate();
  }
}
