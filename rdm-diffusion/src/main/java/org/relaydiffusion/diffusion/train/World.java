// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.distributed.DdpOptions;
import org.relaydiffusion.torch.distributed.ProcessGroup;
import org.relaydiffusion.torch.distributed.ReduceOp;

/**
 * The processes of a training run, from the perspective of one of them.
 *
 * <p>Gradients are averaged through {@code group}. The few values that processes exchange otherwise
 * (whether to stop, statistics, generator states) are on the CPU, which a group for any device
 * takes.
 *
 * @param rank this process, 0 to {@code size - 1}
 * @param size number of processes
 * @param group on the device of the network; empty for a single process
 * @param ddp how gradients are averaged
 */
public record World(int rank, int size, Optional<ProcessGroup> group, DdpOptions ddp) {
  /** A single process. */
  public static final World SINGLE = new World(0, 1, Optional.empty(), DdpOptions.DEFAULT);

  /** Returns whether this process writes the files and prints messages. */
  public boolean isFirst() {
    return rank == 0;
  }

  /** Waits until all processes have called this. */
  void barrier() {
    group.ifPresent(ProcessGroup::barrier);
  }

  /**
   * Returns whether the value is true in any process; called by all processes at the same point.
   */
  boolean any(boolean mine) {
    return most(mine ? 1 : 0) > 0;
  }

  /** Returns the maximum over all processes; called by all processes at the same point. */
  int most(int mine) {
    return group.isEmpty() ? mine : (int) reduced(ReduceOp.MAX, mine)[0];
  }

  /** Returns the sums over all processes; called by all processes at the same point. */
  double[] sums(double... mine) {
    return group.isEmpty() ? mine : reduced(ReduceOp.SUM, mine);
  }

  private double[] reduced(ReduceOp op, double... mine) {
    try (var _ = TensorScope.open()) {
      Tensor numbers = Torch.tensor(mine, mine.length);
      group.orElseThrow().allReduce(numbers, op);
      return numbers.toDoubles();
    }
  }

  /** Returns the bytes of all processes, in the order of ranks; all must have equal length. */
  List<byte[]> gather(byte[] mine) {
    if (group.isEmpty()) {
      return List.of(mine);
    }
    try (var _ = TensorScope.open()) {
      return group.get().allGather(Torch.tensor(mine, mine.length)).stream()
          .map(Tensor::toBytes)
          .toList();
    }
  }

  /** Returns the text of the first process, in all processes; null if it is null there. */
  public @Nullable String fromFirst(@Nullable String mine) {
    if (group.isEmpty()) {
      return mine;
    }
    try (var _ = TensorScope.open()) {
      byte[] text = mine == null ? new byte[0] : mine.getBytes(StandardCharsets.UTF_8);
      Tensor length = Torch.tensor(new long[] {isFirst() && mine != null ? text.length : -1}, 1);
      group.get().broadcast(List.of(length), 0);
      int n = (int) length.toLongs()[0];
      if (n < 0) {
        return null;
      }
      if (n == 0) {
        return "";
      }
      Tensor bytes = isFirst() ? Torch.tensor(text, n) : Torch.zeros(DType.UINT8, n);
      group.get().broadcast(List.of(bytes), 0);
      return new String(bytes.toBytes(), StandardCharsets.UTF_8);
    }
  }
}
