// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.MemoryFormat;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** One rank of a scenario: prints what it saw, a line each, or what was thrown. */
final class PeerMain {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final Duration SHORT = Duration.ofSeconds(4);

  private final int rank;
  private final int size;
  private final int port;
  private final Path folder;

  private PeerMain(String[] args) {
    rank = Integer.parseInt(args[1]);
    size = Integer.parseInt(args[2]);
    port = Integer.parseInt(args[3]);
    folder = Path.of(args[4]);
  }

  public static void main(String[] args) {
    LibTorch.configure(Settings.APPLICATION);
    PeerMain peer = new PeerMain(args);
    try (TensorScope _ = TensorScope.open()) {
      switch (args[0]) {
        case "tcpStore" -> peer.store(peer.tcp(LONG));
        case "fileStore" ->
            peer.store(new FileStore(peer.folder.resolve("store"), peer.size, LONG));
        case "collectives" -> peer.collectives();
        case "missing" -> peer.tcp(Duration.ofSeconds(2)).close();
        case "late" -> peer.late();
        case "killed" -> peer.killed();
        case "shapes" -> peer.shapes();
        case "order" -> peer.order();
        default -> throw new IllegalArgumentException(args[0]);
      }
    } catch (RdmException e) {
      say("thrown " + e.getClass().getSimpleName() + ": " + e.getMessage());
    }
  }

  private static void say(String line) {
    System.out.println(line);
  }

  private TcpStore tcp(Duration timeout) {
    return new TcpStore("127.0.0.1", port, size, TcpStore.Role.ofRank(rank), timeout);
  }

  private ProcessGroup group(Duration timeout) {
    try (TcpStore store = tcp(LONG)) {
      return ProcessGroup.gloo(store, rank, size, timeout);
    }
  }

  private void store(Store made) {
    try (Store store = made) {
      store.set("from" + rank, ("rank " + rank).getBytes(UTF_8));
      say(new String(store.get("from" + (size - 1 - rank)), UTF_8));
      store.set("empty", new byte[0]);
      say("empty " + store.get("empty").length);
      store.add("counter", 1 + rank);
      store.set("added" + rank, new byte[] {1});
      store.await(LONG, "added0", "added1");
      say("counter " + store.add("counter", 0));
      store.add("left", 1);
      while (rank == 0 && store.add("left", 0) < size) {
        Thread.onSpinWait();
      }
    }
  }

  private void collectives() {
    try (ProcessGroup group = group(LONG)) {
      Tensor t = Torch.tensor(new float[] {rank + 1, 10 * (rank + 1)}, 2);
      group.allReduce(t, ReduceOp.SUM);
      say("sum " + Arrays.toString(t.toFloats()));
      Tensor whole = Torch.tensor(new long[] {rank, -rank}, 2);
      group.allReduce(whole, ReduceOp.MAX);
      say("max " + Arrays.toString(whole.toLongs()));
      Tensor wide = Torch.full(0.1 * (rank + 1), DType.FLOAT64, 3);
      group.allReduce(wide, ReduceOp.PRODUCT);
      say("product " + Arrays.toString(wide.toDoubles()));
      Tensor brain = Torch.full(rank + 1.0, DType.BFLOAT16, 3);
      group.allReduce(brain, ReduceOp.SUM);
      say("bfloat16 " + Arrays.toString(brain.toFloats()));
      say(
          "gathered "
              + group.allGather(Torch.tensor(new float[] {rank, 7}, 1, 2)).stream()
                  .map(g -> g.describe() + Arrays.toString(g.toFloats()))
                  .toList());
      Tensor square = Torch.tensor(new float[] {1 + rank, 2, 3, 4}, 1, 2, 2, 1);
      Tensor turned = Shapes.transpose(square, 1, 2);
      Tensor last = Shapes.contiguous(Shapes.copy(square), MemoryFormat.CHANNELS_LAST);
      group.broadcast(List.of(square, turned, last), size - 1);
      say("broadcast " + Arrays.toString(square.toFloats()) + Arrays.toString(last.toFloats()));
      Tensor none = Torch.empty(DType.FLOAT32, Device.CPU, 0, 3);
      group.allReduce(none, ReduceOp.SUM);
      say("empty " + group.allGather(none).size());
      group.barrier();
      say("done");
    }
  }

  private void late() {
    try (ProcessGroup group = group(SHORT)) {
      if (rank == 1) {
        pause(SHORT.multipliedBy(2));
        return;
      }
      try {
        group.barrier();
      } catch (RdmException e) {
        say("first " + e.getMessage());
      }
      group.barrier();
    }
  }

  private void killed() {
    try (ProcessGroup group = group(LONG)) {
      Tensor t = Torch.ones(DType.FLOAT32, 1 << 20);
      group.allReduce(t, ReduceOp.SUM);
      say("together");
      if (rank == 1) {
        Runtime.getRuntime().halt(9);
      }
      group.allReduce(t, ReduceOp.SUM);
    }
  }

  private void shapes() {
    try (ProcessGroup group = group(LONG)) {
      group.allReduce(Torch.ones(DType.FLOAT32, 3 + rank), ReduceOp.SUM);
    }
  }

  private void order() {
    try (ProcessGroup group = group(LONG)) {
      if (rank == 0) {
        group.barrier();
      } else {
        group.allGather(Torch.ones(DType.FLOAT32, 3));
      }
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
