// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.random;

import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.RandomAccess;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.relaydiffusion.OptionException;

/**
 * The seeds of a run, one per image, as given by {@code --seeds}: {@code 0-63,100} is 0 to 63 and
 * 100. Order and repetitions are kept. Ranges are stored as such, so a long list takes no memory.
 */
public final class Seeds {
  private static final Pattern RANGE = Pattern.compile("(\\d+)-(\\d+)");
  private static final Pattern NUMBER = Pattern.compile("[+-]?\\d+");
  private static final int MAX_SEEDS = Integer.MAX_VALUE;

  private final long[] firsts;

  /** The index of the first seed of each range; one entry more than ranges. */
  private final int[] starts;

  private Seeds(List<Range> ranges) {
    this.firsts = ranges.stream().mapToLong(Range::first).toArray();
    this.starts = new int[ranges.size() + 1];
    for (int i = 0; i < firsts.length; i++) {
      long end = starts[i] + ranges.get(i).length();
      if (end > MAX_SEEDS || end < starts[i]) {
        throw new OptionException(
            "--seeds has more than %s images, the maximum of one run".formatted(MAX_SEEDS));
      }
      starts[i + 1] = (int) end;
    }
  }

  /** The seeds first, first + 1, ... first + length - 1. */
  private record Range(long first, long length) {}

  /**
   * Parses a list of numbers and ranges, separated by commas.
   *
   * @param text such as {@code 0-63,100} or {@code -1}
   * @throws OptionException naming the part that is neither a number nor an increasing range, or if
   *     there are more than 2^31 - 1 seeds
   */
  public static Seeds parse(String text) {
    List<Range> ranges = new ArrayList<>();
    for (String part : text.split(",", -1)) {
      ranges.add(range(part.strip(), text));
    }
    return new Seeds(ranges);
  }

  /** Returns the seeds {@code first} to {@code last}, both inclusive. */
  public static Seeds range(long first, long last) {
    return new Seeds(List.of(rising(first, last, first + "-" + last)));
  }

  private static Range range(String part, String text) {
    Matcher range = RANGE.matcher(part);
    if (range.matches()) {
      return rising(number(range.group(1), text), number(range.group(2), text), part);
    }
    return new Range(number(part, text), 1);
  }

  private static Range rising(long first, long last, String part) {
    if (last < first) {
      throw new OptionException(
          "--seeds %s: the start of a range must not exceed its end".formatted(part));
    }
    // The length of the widest ranges overflows; it is clipped to a value that the check of the
    // total rejects.
    long span = last - first;
    return new Range(first, span < 0 || span >= MAX_SEEDS ? MAX_SEEDS + 1L : span + 1);
  }

  private static long number(String part, String text) {
    if (NUMBER.matcher(part).matches()) {
      try {
        return Long.parseLong(part);
      } catch (NumberFormatException e) {
        throw new OptionException(
            "--seeds must be numbers of up to 64 bits, but '%s' is larger".formatted(part));
      }
    }
    throw new OptionException(
        "--seeds must be numbers and ranges such as 0-63,100, but found '%s' in '%s'"
            .formatted(part, text));
  }

  /** Returns the number of seeds, at least 1. */
  public int size() {
    return starts[firsts.length];
  }

  /** Returns seed number {@code index}, counted from 0. */
  public long get(int index) {
    if (index < 0 || index >= size()) {
      throw new IndexOutOfBoundsException("no seed %s among %s".formatted(index, size()));
    }
    int at = Arrays.binarySearch(starts, index);
    int range = at >= 0 ? at : -at - 2;
    return firsts[range] + (index - starts[range]);
  }

  /** Returns all seeds in order. */
  public LongStream stream() {
    return IntStream.range(0, size()).mapToLong(this::get);
  }

  /**
   * Returns the batches of one process. The list is split into equal parts (the first ones are
   * longer by one if it does not divide evenly), with the smallest number of parts per process for
   * which none exceeds {@code maxBatch}; the processes take the parts in turn. Parts may be empty,
   * so that all processes have the same number.
   *
   * @param maxBatch the maximum batch size, at least 1
   * @param rank this process, 0 to {@code worldSize - 1}
   * @param worldSize number of processes
   * @return a list that computes each batch on access
   */
  public List<long[]> batches(int maxBatch, int rank, int worldSize) {
    if (maxBatch < 1) {
      throw new OptionException("--batch must be at least 1, but is " + maxBatch);
    }
    if (rank < 0 || rank >= worldSize) {
      throw new IllegalArgumentException(
          "rank %s is not one of %s processes".formatted(rank, worldSize));
    }
    int perRank = (int) ((size() - 1) / ((long) maxBatch * worldSize)) + 1;
    return new Batches(perRank, rank, worldSize);
  }

  /** Returns every {@code worldSize}-th part of the list. */
  private final class Batches extends AbstractList<long[]> implements RandomAccess {
    private final int count;
    private final int rank;
    private final int worldSize;

    Batches(int count, int rank, int worldSize) {
      this.count = count;
      this.rank = rank;
      this.worldSize = worldSize;
    }

    @Override
    public int size() {
      return count;
    }

    @Override
    public long[] get(int index) {
      if (index < 0 || index >= count) {
        throw new IndexOutOfBoundsException("no batch %s among %s".formatted(index, count));
      }
      long parts = (long) count * worldSize;
      long part = (long) index * worldSize + rank;
      return IntStream.range((int) begin(part, parts), (int) begin(part + 1, parts))
          .mapToLong(Seeds.this::get)
          .toArray();
    }

    /**
     * Returns the index at which a part begins: earlier parts are longer by one while the remainder
     * lasts.
     */
    private long begin(long part, long parts) {
      long total = Seeds.this.size();
      return part * (total / parts) + Math.min(part, total % parts);
    }
  }
}
