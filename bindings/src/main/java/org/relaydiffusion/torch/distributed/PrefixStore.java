// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.time.Duration;
import java.util.Optional;
import org.relaydiffusion.torch.cpp.CppException;
import org.relaydiffusion.torch.cpp.CppStore;

/** A view of a store whose keys all begin with a prefix, as c10d's {@code PrefixStore} has it. */
final class PrefixStore extends Store {
  private final Store store;

  /**
   * A view.
   *
   * @param store whose place and addresses are this one's; it may be closed
   * @param share of what it uses, which is this view's to release
   */
  PrefixStore(Store store, SharedAccess share, String prefix) {
    super(share, prefix, store.timeout(), store.listener());
    this.store = store;
  }

  @Override
  String place() {
    return store.place();
  }

  @Override
  Optional<String> localAddress() {
    return store.localAddress();
  }

  @Override
  CppStore cppStore(String name, Duration limit) throws CppException {
    return store.cppStore(name, limit);
  }
}
