// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.torch.ActivationCheckpoints;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.MemoryFormat;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.nn.Module;
import org.relaydiffusion.torch.nn.Parameter;

/** One rank of a scenario of data-parallel training, as {@link PeerMain} is. */
final class ParallelPeerMain {
  private static final Duration LONG = Duration.ofSeconds(60);
  private static final int NARROW = 384; // A weight of 0.56 MiB: two a bucket.
  private static final int WIDE = 600; // 1.37 MiB: sent from where it lies.

  private final int rank;
  private final int size;
  private final int port;
  private final DdpOptions.Averaging averaging;
  private final int width;

  private ParallelPeerMain(String[] args) {
    rank = Integer.parseInt(args[1]);
    size = Integer.parseInt(args[2]);
    port = Integer.parseInt(args[3]);
    averaging =
        args[0].startsWith("grouped") ? DdpOptions.Averaging.GROUPED : DdpOptions.Averaging.AUTO;
    width = args[0].contains("Wide") ? WIDE : NARROW;
  }

  private DdpOptions options(DdpOptions.Unused unused) {
    return new DdpOptions(1, unused, averaging);
  }

  /** Five matrices in a row, a bias, and a buffer that scales; "b" may be left out. */
  private static final class Net extends Module {
    private final List<Parameter> weights = new ArrayList<>();
    private final Parameter bias;
    private final Parameter scale;

    Net(long seed, int width) {
      for (String name : List.of("a", "b", "c", "d", "e")) {
        weights.add(
            parameter(name, (g, shape) -> g.randn(DType.FLOAT32, shape).mul(0.05), width, width));
      }
      bias = parameter("bias", (g, shape) -> g.randn(DType.FLOAT32, shape), width);
      scale = buffer("scale", (g, shape) -> g.randn(DType.FLOAT32, shape), 1);
      try (Generator generator = Generator.seeded(seed)) {
        initialize(generator);
      }
      learned().forEach(p -> p.value().requiresGrad(true));
    }

    List<Parameter> learned() {
      List<Parameter> all = new ArrayList<>(weights);
      all.add(bias);
      return all;
    }

    Tensor loss(Tensor x, boolean withB) {
      Tensor h = x;
      for (Parameter w : weights) {
        if (withB || !w.name().equals("b")) {
          h =
              ActivationCheckpoints.segment(
                  in -> LinearAlgebra.matmul(in.getFirst().silu(), w.value()), List.of(h));
        }
      }
      return Reduction.sum(
          h.add(bias.value()).mul(scale.value()).silu(), Reduction.KeepDim.NO, 0, 1);
    }

    List<float[]> gradients() {
      List<float[]> all = new ArrayList<>();
      for (Parameter p : learned()) {
        try (Tensor grad = p.value().grad()) {
          all.add(grad == null ? new float[0] : grad.toFloats());
        }
        p.value().clearGrad();
      }
      return all;
    }
  }

  public static void main(String[] args) {
    LibTorch.configure(Settings.APPLICATION);
    ParallelPeerMain peer = new ParallelPeerMain(args);
    try (TensorScope _ = TensorScope.open()) {
      switch (args[0].replaceFirst("grouped(Wide)? ", "")) {
        case "gradients" -> peer.gradients();
        case "accumulate" -> peer.accumulate();
        case "unused" -> peer.unused();
        case "channelsLast" -> peer.channelsLast();
        case "forgotten" -> peer.forgotten();
        case "mixed" -> peer.mixed();
        case "killed" -> peer.killed();
        case "recomputed killed" -> {
          try (ActivationCheckpoints _ = ActivationCheckpoints.open()) {
            peer.killed();
          }
        }
        case "differ" -> peer.differ();
        default -> throw new IllegalArgumentException(args[0]);
      }
    } catch (RdmException e) {
      say("thrown " + e.getClass().getSimpleName() + ": " + e.getMessage());
    }
  }

  private static void say(String line) {
    System.out.println(line);
  }

  private ProcessGroup group() {
    try (TcpStore store = new TcpStore("127.0.0.1", port, size, TcpStore.Role.ofRank(rank), LONG)) {
      return ProcessGroup.gloo(store, rank, size, LONG);
    }
  }

  /** What rank {@code of} sees in round {@code round}. */
  private Tensor data(int of, int round) {
    try (Generator generator = Generator.seeded(1000 + 10 * round + of)) {
      return generator.randn(DType.FLOAT32, 4, width);
    }
  }

  /** The mean over all ranks of the gradients that one process gets, added up over rounds. */
  private List<float[]> expected(Net net, boolean withB, int... rounds) {
    List<List<float[]>> byRank = new ArrayList<>();
    for (int r = 0; r < size; r++) {
      for (int round : rounds) {
        try (TensorScope _ = TensorScope.open()) {
          net.loss(data(r, round), withB).backward();
        }
      }
      byRank.add(net.gradients());
    }
    List<float[]> mean = new ArrayList<>();
    for (int p = 0; p < byRank.getFirst().size(); p++) {
      float[] sum = byRank.getFirst().get(p).clone();
      for (int r = 1; r < size; r++) {
        for (int i = 0; i < sum.length; i++) {
          sum[i] += byRank.get(r).get(p)[i];
        }
      }
      for (int i = 0; i < sum.length; i++) {
        sum[i] /= size;
      }
      mean.add(sum);
    }
    return mean;
  }

  private static String same(List<float[]> actual, List<float[]> expected) {
    for (int i = 0; i < expected.size(); i++) {
      if (!Arrays.equals(actual.get(i), expected.get(i))) {
        return "parameter %s differs".formatted(i);
      }
    }
    return "same in %s parameters, %s numbers"
        .formatted(actual.size(), actual.stream().mapToInt(g -> g.length).sum());
  }

  private void gradients() {
    try (ProcessGroup group = group();
        Net net = new Net(rank, width);
        Net root = new Net(0, width)) {
      List<float[]> expected = new ArrayList<>();
      try (var parallel =
          new DistributedDataParallel(net, group, options(DdpOptions.Unused.NONE))) {
        say("scale " + (net.scale.value().item() == root.scale.value().item()));
        for (int round = 0; round < 3; round++) {
          try (TensorScope _ = TensorScope.open()) {
            int now = round;
            Tensor loss = parallel.forward(() -> net.loss(data(rank, now), true));
            if (round < 2 || averaging == DdpOptions.Averaging.GROUPED) {
              parallel.backward(loss);
            } else {
              loss.backward();
            }
            expected = expected(root, true, round);
            say("round %s: %s".formatted(round, same(net.gradients(), expected)));
          }
        }
      }
      // Closed, it leaves the network to itself.
      say("alone " + same(expected(net, true, 2), expected));
      group.barrier();
    }
  }

  private void accumulate() {
    try (ProcessGroup group = group();
        Net net = new Net(0, width);
        Net root = new Net(0, width);
        var parallel = new DistributedDataParallel(net, group, options(DdpOptions.Unused.NONE))) {
      for (int step = 0; step < 2; step++) {
        try (TensorScope _ = TensorScope.open()) {
          int first = 2 * step;
          try (var _ = parallel.noSync()) {
            parallel.backward(parallel.forward(() -> net.loss(data(rank, first), true)));
          }
          parallel.backward(parallel.forward(() -> net.loss(data(rank, first + 1), true)));
          say(same(net.gradients(), expected(root, true, first, first + 1)));
        }
      }
      group.barrier();
    }
  }

  /** Rank 0 leaves "b" out in the first round, both do in the second. */
  private void unused() {
    try (ProcessGroup group = group();
        Net net = new Net(0, width);
        Net root = new Net(0, width);
        var parallel = new DistributedDataParallel(net, group, options(DdpOptions.Unused.FIND))) {
      parallel.backward(parallel.forward(() -> net.loss(data(1, 0), rank == 1)));
      List<float[]> got = net.gradients();
      root.loss(data(1, 0), true).backward();
      float[] b = root.gradients().get(1);
      boolean half = true;
      for (int i = 0; i < b.length; i++) {
        half &= got.get(1)[i] == b[i] / 2;
      }
      say("b " + half);
      parallel.backward(parallel.forward(() -> net.loss(data(rank, 1), false)));
      got = net.gradients();
      List<float[]> expected = expected(root, false, 1);
      say("b has %s numbers".formatted(got.get(1).length));
      got.set(1, expected.get(1));
      say(same(got, expected));
      group.barrier();
    }
  }

  /** Weights of 1 MiB and more in the layout that convolutions like, and one that all use. */
  private static final class Wide extends Module {
    private final List<Parameter> weights =
        List.of(
            parameter("oblong", (g, shape) -> turned(g.randn(DType.FLOAT32, shape)), 512, 64, 3, 3),
            parameter("cube", (g, shape) -> turned(g.randn(DType.FLOAT32, shape)), 64, 16, 16, 16));
    private final Parameter used =
        parameter("used", (g, shape) -> g.randn(DType.FLOAT32, shape), 3);

    Wide() {
      try (Generator generator = Generator.seeded(0)) {
        initialize(generator);
      }
      weights.forEach(w -> w.value().requiresGrad(true));
      used.value().requiresGrad(true);
    }

    private static Tensor turned(Tensor tensor) {
      return Shapes.contiguous(tensor, MemoryFormat.CHANNELS_LAST);
    }

    Tensor loss(int rank) {
      Tensor loss = used.value().sum();
      if (rank == 0) {
        for (Parameter w : weights) {
          loss = loss.add(w.value().mul(w.value()).sum());
        }
      }
      return loss;
    }
  }

  /** Rank 0 alone uses the large weights; half of its gradient is everybody's. */
  private void channelsLast() {
    try (ProcessGroup group = group();
        Wide net = new Wide();
        var parallel = new DistributedDataParallel(net, group, options(DdpOptions.Unused.FIND))) {
      parallel.backward(parallel.forward(() -> net.loss(rank)));
      for (Parameter w : net.weights) {
        Tensor grad = w.value().grad();
        say(
            "%s %s"
                .formatted(
                    w.name(),
                    grad != null
                        && Arrays.equals(
                            grad.contiguous().toFloats(),
                            w.value().detach().contiguous().toFloats())));
      }
      group.barrier();
    }
  }

  /** Rank 1 stops while the other one averages. */
  private void mixed() {
    try (ProcessGroup group = group();
        Net net = new Net(0, width);
        var parallel = new DistributedDataParallel(net, group, options(DdpOptions.Unused.NONE))) {
      if (rank == 1) {
        group.barrier();
        return;
      }
      parallel.backward(parallel.forward(() -> net.loss(data(rank, 0), true)));
    }
  }

  private void forgotten() {
    try (ProcessGroup group = group();
        Net net = new Net(0, width);
        var parallel = new DistributedDataParallel(net, group, options(DdpOptions.Unused.NONE))) {
      parallel.backward(parallel.forward(() -> net.loss(data(rank, 0), false)));
      say("went back");
      parallel.backward(parallel.forward(() -> net.loss(data(rank, 1), true)));
    }
  }

  private void killed() {
    try (ProcessGroup group = group();
        Net net = new Net(0, width);
        var parallel = new DistributedDataParallel(net, group, options(DdpOptions.Unused.NONE))) {
      Tensor loss = parallel.forward(() -> net.loss(data(rank, 0), true));
      group.barrier();
      if (rank == 1) {
        Runtime.getRuntime().halt(9);
      }
      try {
        parallel.backward(loss);
      } catch (RdmException e) {
        say("first " + e.getMessage());
      }
      parallel.forward(() -> net.loss(data(rank, 0), true));
    }
  }

  private void differ() {
    try (ProcessGroup group = group();
        Net net = new Net(0, 8 + rank);
        var _ = new DistributedDataParallel(net, group, options(DdpOptions.Unused.NONE))) {
      say("never here");
    }
  }
}
