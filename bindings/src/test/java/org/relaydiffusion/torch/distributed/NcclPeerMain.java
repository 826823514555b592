// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** One rank of a scenario over NCCL, as {@link PeerMain} is; they meet in a file. */
final class NcclPeerMain {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final Duration SHORT = Duration.ofSeconds(4);
  private static final int MANY = 300_000; // More than 1 MiB.

  private static long since = System.nanoTime();

  private final int rank;
  private final int size;
  private final Device device;
  private final Path folder;

  private NcclPeerMain(String[] args) {
    rank = Integer.parseInt(args[1]);
    size = Integer.parseInt(args[2]);
    device = Device.cuda(rank);
    folder = Path.of(args[4]);
  }

  public static void main(String[] args) {
    LibTorch.configure(Settings.APPLICATION);
    NcclPeerMain peer = new NcclPeerMain(args);
    try (TensorScope _ = TensorScope.open()) {
      switch (args[0]) {
        case "collectives" -> peer.collectives();
        case "many" -> peer.many();
        case "killed" -> peer.killed(LONG);
        case "ends" -> peer.ends();
        case "vanishes" -> peer.agreesOnly(_ -> Runtime.getRuntime().halt(9));
        case "leaves" -> peer.agreesOnly(ProcessGroup::close);
        case "hangs" -> peer.hangs();
        case "error" -> peer.error();
        case "neverComes" -> peer.neverComes();
        case "differ" -> peer.differ();
        default -> throw new IllegalArgumentException(args[0]);
      }
    } catch (RdmException e) {
      say("thrown %s: %s".formatted(e.getClass().getSimpleName(), e.getMessage()));
    }
    say("ended after %s s".formatted((System.nanoTime() - since) / 1_000_000_000));
  }

  private static void say(String line) {
    System.out.println(line);
  }

  /** All are here: what comes now is not to take long. */
  private static void together() {
    since = System.nanoTime();
    say("together");
  }

  private Store store() {
    return FileStore.ofThisMachine(folder.resolve("store"), size, LONG, WaitListener.NONE);
  }

  private ProcessGroup group(Duration timeout) {
    try (Store store = store()) {
      return ProcessGroup.nccl(store, rank, size, device, timeout);
    }
  }

  private Tensor up(Tensor tensor) {
    return tensor.to(device);
  }

  private void collectives() {
    try (ProcessGroup group = group(LONG)) {
      Tensor t = up(Torch.tensor(new float[] {rank + 1, 10 * (rank + 1)}, 2));
      group.allReduce(t, ReduceOp.SUM);
      say("sum " + Arrays.toString(t.toFloats()));
      Tensor whole = up(Torch.tensor(new long[] {rank, -rank}, 2));
      group.allReduce(whole, ReduceOp.MAX);
      say("max " + Arrays.toString(whole.toLongs()));
      Tensor least = up(Torch.tensor(new int[] {rank, -rank}, 2));
      group.allReduce(least, ReduceOp.MIN);
      say("min " + Arrays.toString(least.toLongs()));
      Tensor wide = up(Torch.tensor(new double[] {rank + 2, 0.5}, 2));
      group.allReduce(wide, ReduceOp.PRODUCT);
      say("product " + Arrays.toString(wide.toDoubles()));
      Tensor first = up(Torch.tensor(new float[] {rank, 7}, 1, 2));
      Tensor second = up(Torch.tensor(new byte[] {(byte) (rank + 3), 9}, 2));
      group.broadcast(List.of(first, second), size - 1);
      say("broadcast " + Arrays.toString(first.toFloats()) + Arrays.toString(second.toBytes()));
      say(
          "gathered "
              + group.allGather(up(Torch.tensor(new float[] {rank, 7}, 1, 2))).stream()
                  .map(g -> g.to(Device.CPU).describe() + Arrays.toString(g.toFloats()))
                  .toList());
      Tensor any = up(Torch.tensor(new byte[] {1, (byte) rank, 0}, 3).to(DType.BOOL));
      group.allReduce(any, ReduceOp.SUM);
      Tensor every = up(Torch.tensor(new byte[] {1, (byte) rank, 0}, 3).to(DType.BOOL));
      group.allReduce(every, ReduceOp.PRODUCT);
      say(
          "any %s all %s"
              .formatted(Arrays.toString(any.toLongs()), Arrays.toString(every.toLongs())));
      // Those on the CPU go another way.
      Tensor here = Torch.tensor(new double[] {rank + 1, 0.25}, 2);
      group.allReduce(here, ReduceOp.SUM);
      say("here " + Arrays.toString(here.toDoubles()));
      Tensor bytes = Torch.tensor(new byte[] {(byte) rank, 5}, 2);
      group.broadcast(List.of(bytes), size - 1);
      say("here " + Arrays.toString(bytes.toBytes()));
      say(
          "here "
              + group.allGather(Torch.tensor(new long[] {rank}, 1)).stream()
                  .map(g -> Arrays.toString(g.toLongs()))
                  .toList());
      Tensor none = up(Torch.empty(DType.FLOAT32, Device.CPU, 0, 3));
      group.allReduce(none, ReduceOp.SUM);
      group.barrier();
      group.check();
      say("done");
    }
  }

  /** Large gradients are averaged where they lie, by one call. */
  private void many() {
    try (ProcessGroup group = group(LONG)) {
      float[] values = new float[MANY];
      for (int i = 0; i < MANY; i++) {
        values[i] = (rank + 1) * (i % 1000);
      }
      Tensor first = up(Torch.tensor(values, MANY));
      Tensor second = up(Shapes.copy(Torch.tensor(values, MANY / 100, 100)));
      for (int step = 0; step < 3; step++) {
        group.average(List.of(first, second));
      }
      double mean = (size + 1) / 2.0;
      float[] got = first.toFloats();
      float[] other = second.toFloats();
      int wrong = 0;
      for (int i = 0; i < MANY; i++) {
        double expected = mean * (i % 1000);
        wrong += got[i] == expected && other[i] == expected ? 0 : 1;
      }
      say("wrong " + wrong);
    }
  }

  /** Groups that end while they are watched. */
  private void ends() {
    for (int i = 0; i < 5; i++) {
      try (Store store =
              FileStore.ofThisMachine(folder.resolve("store" + i), size, LONG, WaitListener.NONE);
          ProcessGroup group = ProcessGroup.nccl(store, rank, size, device, LONG)) {
        group.allReduce(up(Torch.tensor(new float[] {1, 2}, 2)), ReduceOp.SUM);
        pause(Duration.ofMillis(150 + 35L * i));
      }
    }
  }

  /** Rank 1 agrees to an operation and then does something else. */
  @SuppressWarnings("EnumOrdinal") // As the group does.
  private void agreesOnly(Consumer<ProcessGroup> instead) {
    try (ProcessGroup group = group(LONG)) {
      Tensor t = up(Torch.tensor(new float[] {1, 2}, 2));
      group.allReduce(t, ReduceOp.SUM);
      together();
      if (rank == 1) {
        group.agree(Agreement.Operation.ALL_REDUCE, ReduceOp.SUM.ordinal(), List.of(t));
        instead.accept(group);
        return;
      }
      group.allReduce(t, ReduceOp.SUM);
      say("never here");
    }
  }

  private void killed(Duration timeout) {
    try (ProcessGroup group = group(timeout)) {
      Tensor t = up(Torch.tensor(new float[] {1, 2}, 2));
      group.allReduce(t, ReduceOp.SUM);
      together();
      if (rank == 1) {
        Runtime.getRuntime().halt(9);
      }
      group.allReduce(t, ReduceOp.SUM);
      say("never here");
    }
  }

  /** Rank 1 agrees to an operation that it then never issues. */
  private void hangs() {
    try (ProcessGroup group = group(SHORT)) {
      Tensor t = up(Torch.tensor(new float[] {1, 2}, 2));
      group.allReduce(t, ReduceOp.SUM);
      together();
      try {
        group.allReduce(t, ReduceOp.SUM);
      } catch (RdmException e) {
        say("first " + e.getMessage());
      }
      group.allReduce(t, ReduceOp.SUM);
    }
  }

  /** NCCL tells in the background that a link is down. */
  private void error() {
    try (ProcessGroup group = group(LONG)) {
      Tensor t = up(Torch.tensor(new float[] {1, 2}, 2));
      group.allReduce(t, ReduceOp.SUM);
      together();
      for (int i = 0; i < 100; i++) {
        pause(Duration.ofMillis(100));
        group.check();
      }
    }
  }

  private void neverComes() {
    Torch.requireUsable(device);
    since = System.nanoTime();
    if (rank == 0) {
      try (ProcessGroup _ = group(SHORT)) {
        say("never here");
      }
      return;
    }
    // Comes to where the others meet, and no further.
    try (Store store = store()) {
      String prefix = store.nextGroup();
      long _ = store.add("%s/%s".formatted(prefix, Device.Type.CUDA), 1);
      new Arrivals(store, prefix, size, LONG).register();
      try (ControlChannel channel = ControlChannel.open(store, prefix, rank, size, LONG)) {
        channel.gather(new byte[0], LONG);
        while (channel.lost().isEmpty()) {
          pause(Duration.ofMillis(20));
        }
        say("lost " + channel.lost().get());
      } catch (BackendException e) {
        say("failed " + e.reason());
      }
    }
  }

  private void differ() {
    try (ProcessGroup group = group(LONG)) {
      since = System.nanoTime();
      group.allReduce(up(Torch.tensor(new float[3 + rank], 3 + rank)), ReduceOp.SUM);
    }
  }

  private static void pause(Duration time) {
    try {
      Thread.sleep(time);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
