package org.relaydiffusion.diffusion.random;

import java.util.Arrays;

/**
 * Which items of a data set are used, and which of them mirrored: item i of the subset is raw item
 * {@link #raw} (i) of the source.
 */
public final class Subset {
  private final int[] chosen;
  private final int copies;

  private Subset(int[] chosen, int copies) {
    this.chosen = chosen;
    this.copies = copies;
  }

  /** All of {@code size} items, in order. */
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
   * At most {@code maxSize} items, drawn without repetition and then sorted; all of them, drawing
   * nothing, when there are no more.
   *
   * @param size how many items the source has
   * @param maxSize how many may be used, at least 1
   * @param seed of the draw, of which the last 31 bits count
   */
  public static Subset drawn(int size, int maxSize, long seed) {
    if (maxSize < 1) {
      throw new IllegalArgumentException("a subset has at least 1 item, not " + maxSize);
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
   * This subset followed by itself mirrored left to right: twice as long.
   *
   * @throws IllegalStateException when this one has its mirrored half already
   */
  public Subset withMirrored() {
    if (copies > 1) {
      throw new IllegalStateException("the subset has its mirrored half already");
    }
    Math.multiplyExact(chosen.length, 2);
    return new Subset(chosen, 2);
  }

  /** How many items there are, mirrored ones included. */
  public int size() {
    return chosen.length * copies;
  }

  /** The source's item behind item {@code index}. */
  public int raw(int index) {
    return chosen[index < chosen.length ? index : checked(index) - chosen.length];
  }

  /** Whether item {@code index} is to be mirrored left to right. */
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
