package org.relaydiffusion.diffusion.train;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.distributed.ProcessGroup;
import org.relaydiffusion.torch.distributed.ReduceOp;

/**
 * The processes of a training run, seen from one of them.
 *
 * <p>Gradients travel through {@code gradients}; the few numbers that processes agree on (whether
 * to stop, statistics, generator states) are on the CPU and travel through {@code agreement}, which
 * is Gloo everywhere.
 *
 * @param rank this process, 0 to {@code size - 1}
 * @param size how many there are
 * @param gradients the group of the network's device; absent for a process on its own
 * @param agreement the group of the CPU; absent for a process on its own
 */
public record World(
    int rank, int size, Optional<ProcessGroup> gradients, Optional<ProcessGroup> agreement) {
  /** A process on its own. */
  public static final World SINGLE = new World(0, 1, Optional.empty(), Optional.empty());

  /** Whether this process writes the files and says what is said once. */
  public boolean isFirst() {
    return rank == 0;
  }

  /** Waits until every process is here. */
  void barrier() {
    agreement.ifPresent(ProcessGroup::barrier);
  }

  /** Whether any process says so; every process asks at the same point. */
  boolean any(boolean mine) {
    return most(mine ? 1 : 0) > 0;
  }

  /** The largest of all processes' numbers; every process asks at the same point. */
  int most(int mine) {
    return agreement.isEmpty() ? mine : (int) reduced(ReduceOp.MAX, mine)[0];
  }

  /** The sums over all processes; every process asks at the same point. */
  double[] sums(double... mine) {
    return agreement.isEmpty() ? mine : reduced(ReduceOp.SUM, mine);
  }

  private double[] reduced(ReduceOp op, double... mine) {
    try (var _ = TensorScope.open()) {
      Tensor numbers = Torch.tensor(mine, mine.length);
      agreement.orElseThrow().allReduce(numbers, op);
      return numbers.toDoubles();
    }
  }

  /** Every process's bytes, in the order of ranks; all are of equal length. */
  List<byte[]> gather(byte[] mine) {
    if (agreement.isEmpty()) {
      return List.of(mine);
    }
    try (var _ = TensorScope.open()) {
      return agreement.get().allGather(Torch.tensor(mine, mine.length)).stream()
          .map(Tensor::toBytes)
          .toList();
    }
  }

  /** The first process's text, at every process; null there means null here. */
  public @Nullable String fromFirst(@Nullable String mine) {
    if (agreement.isEmpty()) {
      return mine;
    }
    try (var _ = TensorScope.open()) {
      byte[] text = mine == null ? new byte[0] : mine.getBytes(StandardCharsets.UTF_8);
      Tensor length = Torch.tensor(new long[] {isFirst() && mine != null ? text.length : -1}, 1);
      agreement.get().broadcast(List.of(length), 0);
      int n = (int) length.toLongs()[0];
      if (n < 0) {
        return null;
      }
      if (n == 0) {
        return "";
      }
      Tensor bytes = isFirst() ? Torch.tensor(text, n) : Torch.zeros(DType.UINT8, n);
      agreement.get().broadcast(List.of(bytes), 0);
      return new String(bytes.toBytes(), StandardCharsets.UTF_8);
    }
  }
}
