// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.random;

import java.util.Arrays;

/**
 * The selected items of a data set, and which of them are mirrored: item i of the subset is item
 * {@link #raw} (i) of the source.
 */
public final class Subset {
  private final int[] chosen;
  private final int copies;

  private Subset(int[] chosen, int copies) {
    this.chosen = chosen;
    this.copies = copies;
  }

  /** Returns all of {@code size} items, in order. */
  public static Subset all(int size) {
    if (size < 0) {
      throw new IllegalArgumentException("a data set cannot have %s items".formatted(size));
    }
    int[] items = new int[size];
    for (int i = 0; i < size; i++) {
      items[i] = i;
    }
    return new Subset(items, 1);
  }

  /**
   * Returns at most {@code maxSize} items, drawn without replacement and then sorted; if there are
   * no more than that, all of them, without drawing.
   *
   * @param size number of items of the source
   * @param maxSize maximum number of items, at least 1
   * @param seed of the draw, of which the lowest 31 bits are used
   */
  public static Subset drawn(int size, int maxSize, long seed) {
    if (maxSize < 1) {
      throw new IllegalArgumentException("a subset must have at least 1 item, but has " + maxSize);
    }
    Subset all = all(size);
    if (size <= maxSize) {
      return all;
    }
    new NumpyRandom(Math.floorMod(seed, 1L << 31)).shuffle(all.chosen);
    int[] drawn = Arrays.copyOf(all.chosen, maxSize);
    Arrays.sort(drawn);
    return new Subset(drawn, 1);
  }

  /**
   * Returns this subset followed by itself mirrored left to right: twice as long.
   *
   * @throws IllegalStateException if it already has its mirrored half
   */
  public Subset withMirrored() {
    if (copies > 1) {
      throw new IllegalStateException("the subset already has its mirrored half");
    }
    Math.multiplyExact(chosen.length, 2);
    return new Subset(chosen, 2);
  }

  /** Returns the number of items, including mirrored ones. */
  public int size() {
    return chosen.length * copies;
  }

  /** Returns the source's item of item {@code index}. */
  public int raw(int index) {
    return chosen[index < chosen.length ? index : checked(index) - chosen.length];
  }

  /** Returns whether item {@code index} is mirrored left to right. */
  public boolean isMirrored(int index) {
    return checked(index) >= chosen.length;
  }

  private int checked(int index) {
    if (index < 0 || index >= size()) {
      throw new IndexOutOfBoundsException("no item %s among %s".formatted(index, size()));
    }
    return index;
  }
}
