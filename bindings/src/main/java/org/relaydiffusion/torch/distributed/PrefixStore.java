// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.util.Optional;

/** A view of a store whose keys all begin with a prefix ({@code PrefixStore}). */
final class PrefixStore extends Store {
  private final String place;
  private final Optional<String> localAddress;

  PrefixStore(Store store, String prefix) {
    super(
        store.place(),
        store.timeout(),
        store.listener(),
        () -> "opening a view of " + store,
        () -> store.use("view of " + prefix, store.timeout(), s -> s.withPrefix(prefix)));
    this.place = store.place();
    this.localAddress = store.localAddress();
  }

  @Override
  String place() {
    return place;
  }

  @Override
  Optional<String> localAddress() {
    return localAddress;
  }
}
