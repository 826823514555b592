// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.cpp;

import java.time.Duration;
import org.bytedeco.pytorch.FileStore;
import org.bytedeco.pytorch.PrefixStore;
import org.bytedeco.pytorch.ProcessGroupGloo.GlooStore;
import org.bytedeco.pytorch.Store;
import org.bytedeco.pytorch.TCPStore;
import org.bytedeco.pytorch.TCPStoreOptions;
import org.relaydiffusion.nativeconfig.JniLibraries;

/** A {@code c10d::Store}, for a group of LibTorch's to meet at. */
public final class CppStore implements AutoCloseable {
  private final Store store;

  private CppStore(Store store) {
    this.store = store;
  }

  /**
   * Connects to a server.
   *
   * @throws org.relaydiffusion.nativeconfig.NativeLibraryException when the C++ classes cannot be
   *     loaded
   */
  public static CppStore tcpClient(String host, int port, Duration timeout) throws CppException {
    JniLibraries.load();
    return Cpp.call(() -> {
      TCPStoreOptions options =
          new TCPStoreOptions()
              .port((short) port)
              .isServer(false)
              .waitWorkers(false)
              .timeout(Cpp.milliseconds(timeout));
      return new CppStore(shared(Cpp.kept(new TCPStore(host, options))));
    });
  }

  /** Uses a file that all processes reach. */
  public static CppStore file(String path, int worldSize, Duration timeout) throws CppException {
    JniLibraries.load();
    return Cpp.call(() -> {
      Store shared = shared(Cpp.kept(new FileStore(path, worldSize)));
      shared.setTimeout(Cpp.milliseconds(timeout));
      return new CppStore(shared);
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
  Store under(String prefix) {
    return shared(Cpp.kept(new PrefixStore(prefix, store)));
  }

  /** Gives this process's reference up; process groups have their own. */
  @Override
  public void close() {
    store.deallocate();
  }
}
