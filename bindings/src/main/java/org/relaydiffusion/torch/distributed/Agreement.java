// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;

/**
 * What a process is about to do, as numbers that all processes show each other first. A back end
 * that gets tensors of several shapes, or several operations at once, hangs, mixes them up or ends
 * the process; compared before, they are a clear message.
 *
 * <p>The numbers: how many operations came before, the operation, its parameter (root or way of
 * combining), how many tensors, a hash of all their types and shapes, the first one's type, its
 * number of axes and its first sizes.
 */
final class Agreement {
  /** How many numbers there are. */
  static final int LENGTH = 16;

  private static final int COUNT = 0;
  private static final int OPERATION = 1;
  private static final int PARAMETER = 2;
  private static final int TENSORS = 3;
  private static final int TYPE = 5;
  private static final int AXES = 6;
  private static final int SIZES = 7;

  /** The operations of a group. */
  enum Operation {
    BARRIER("barrier"),
    BROADCAST("broadcast"),
    ALL_REDUCE("all-reduce"),
    ALL_GATHER("all-gather"),
    AVERAGE("averaging gradients"),
    PARALLEL("data-parallel set-up");

    private final String text;

    Operation(String text) {
      this.text = text;
    }

    @Override
    public String toString() {
      return text;
    }
  }

  private Agreement() {}

  /** This process's numbers. */
  @SuppressWarnings("EnumOrdinal") // All processes run the same build.
  static long[] of(long count, Operation operation, int parameter, List<Tensor> tensors) {
    long[] numbers = new long[LENGTH];
    long[] head = {count, operation.ordinal(), parameter, tensors.size(), hash(tensors), -1};
    System.arraycopy(head, 0, numbers, 0, head.length);
    if (!tensors.isEmpty()) {
      Tensor first = tensors.getFirst();
      long[] shape = first.shape();
      numbers[TYPE] = first.dtype().code();
      numbers[AXES] = shape.length;
      System.arraycopy(shape, 0, numbers, SIZES, Math.min(shape.length, LENGTH - SIZES));
    }
    return numbers;
  }

  /**
   * One line that says which process is about to do something else, and what; empty when all agree.
   *
   * @param all everybody's numbers, one after the other
   */
  static String difference(long[] all, int rank) {
    long[] mine = part(all, rank);
    return IntStream.range(0, all.length / LENGTH)
        .filter(r -> !Arrays.equals(part(all, r), mine))
        .mapToObj(r -> {
          long[] other = part(all, r);
          return "rank %s brings %s, rank %s %s%s"
              .formatted(rank, describe(mine), r, describe(other), detail(mine, other));
        })
        .findFirst()
        .orElse("");
  }

  private static long[] part(long[] all, int rank) {
    return Arrays.copyOfRange(all, rank * LENGTH, (rank + 1) * LENGTH);
  }

  private static String describe(long[] numbers) {
    Operation[] operations = Operation.values();
    String name =
        numbers[OPERATION] >= 0 && numbers[OPERATION] < operations.length
            ? operations[(int) numbers[OPERATION]].toString()
            : "something unknown";
    return switch (Math.clamp(numbers[TENSORS], 0, 2)) {
      case 0 -> name;
      case 1 -> name + " of " + first(numbers);
      default -> "%s of %s tensors from %s on".formatted(name, numbers[TENSORS], first(numbers));
    };
  }

  /** What the descriptions do not show. */
  private static String detail(long[] mine, long[] other) {
    if (!describe(mine).equals(describe(other))) {
      return "";
    }
    if (mine[COUNT] != other[COUNT]) {
      return ", as operations %s and %s".formatted(mine[COUNT], other[COUNT]);
    }
    return mine[PARAMETER] != other[PARAMETER]
        ? ", with %s and %s".formatted(mine[PARAMETER], other[PARAMETER])
        : ", of other types or shapes";
  }

  private static String first(long[] numbers) {
    String type = DType.ofCode((int) numbers[TYPE]).map(DType::torchName).orElse("an unknown type");
    int axes = Math.clamp(numbers[AXES], 0, LENGTH - SIZES);
    return type + Arrays.toString(Arrays.copyOfRange(numbers, SIZES, SIZES + axes));
  }

  private static long hash(List<Tensor> tensors) {
    long hash = 17;
    for (Tensor t : tensors) {
      hash = 31 * hash + t.dtype().code();
      hash = 31 * hash + Arrays.hashCode(t.shape());
    }
    return hash;
  }
}
