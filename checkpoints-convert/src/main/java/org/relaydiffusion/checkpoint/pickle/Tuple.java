// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import java.util.List;

/**
 * Python's tuple.
 *
 * @param items its items, in order
 */
public record Tuple(List<Object> items) {
  /** Returns the number of items. */
  public int size() {
    return items.size();
  }

  /** Returns the item at {@code index}, from 0. */
  public Object get(int index) {
    return items.get(index);
  }
}
