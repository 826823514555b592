// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.diffusion.data.Batch;
import org.relaydiffusion.diffusion.data.DataLoader;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.diffusion.fixture.Tensors;
import org.relaydiffusion.diffusion.loss.NoiseSource;
import org.relaydiffusion.diffusion.random.InfiniteSampler;
import org.relaydiffusion.diffusion.train.Batching.Activations;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.distributed.DdpOptions;

/**
 * Two processes over Gloo train what one does that takes both shares in turn, with the same noise.
 * The ranks' loss is doubled, because their gradients are averaged where one process adds them up.
 */
class TwoRanksTest {
  private static final int STEPS = 10;
  private static final int SECONDS = 120;

  @TempDir private Path folder;

  /**
   * With and without accumulation; also where the activations are recomputed, which the one process
   * keeps: the gradients of the recomputed segments are part of what is averaged. Sums of two are
   * the same whichever comes first, to the bit.
   */
  @ParameterizedTest
  @CsvSource({
    "8, 4, REDUCER, KEPT",
    "8, 2, REDUCER, KEPT",
    "8, 4, REDUCER, RECOMPUTED",
    "8, 2, REDUCER, RECOMPUTED",
    "8, 4, GROUPED, RECOMPUTED",
    "8, 2, GROUPED, RECOMPUTED",
  })
  void twoRanksAreOneProcess(
      int batch, int perRound, DdpOptions.Averaging averaging, Activations activations)
      throws Exception {
    int port = freePort();
    List<List<String>> commands = new ArrayList<>();
    for (int rank = 0; rank < 2; rank++) {
      commands.add(peer("127.0.0.1", port, rank, batch, perRound, averaging, activations));
    }
    run(commands);
    assertSameAsOneProcess(batch, perRound);
  }

  /** Each rank on a machine of its own, as far as the network can tell. */
  @Test
  void twoRanksInTwoNetworkNamespaces() throws Exception {
    assumeTrue(
        Files.isWritable(Path.of("/proc/sys/kernel/hostname")),
        "network namespaces need the superuser");
    String id = Long.toString(ProcessHandle.current().pid() % 100_000);
    List<String> names = List.of("rdma" + id, "rdmb" + id);
    try {
      assumeTrue(
          ip("netns", "add", names.get(0))
              && ip("netns", "add", names.get(1))
              && ip(
                  "link",
                  "add",
                  "va" + id,
                  "netns",
                  names.get(0),
                  "type",
                  "veth",
                  "peer",
                  "name",
                  "vb" + id,
                  "netns",
                  names.get(1)),
          "this machine does not allow network namespaces");
      for (int rank = 0; rank < 2; rank++) {
        String link = (rank == 0 ? "va" : "vb") + id;
        String name = names.get(rank);
        assumeTrue(
            ip("-n", name, "addr", "add", "10.231.77.%s/24".formatted(rank + 1), "dev", link)
                && ip("-n", name, "link", "set", link, "up")
                && ip("-n", name, "link", "set", "lo", "up"),
            "this machine does not allow addresses in network namespaces");
      }
      List<List<String>> commands = new ArrayList<>();
      for (int rank = 0; rank < 2; rank++) {
        List<String> command = new ArrayList<>(List.of("ip", "netns", "exec", names.get(rank)));
        command.addAll(
            peer("10.231.77.1", 29_512, rank, 8, 4, DdpOptions.Averaging.AUTO, Activations.KEPT));
        commands.add(command);
      }
      run(commands);
      assertSameAsOneProcess(8, 4);
    } finally {
      names.forEach(name -> ip("netns", "del", name));
    }
  }

  private static boolean ip(String... arguments) {
    List<String> command = new ArrayList<>(List.of("ip"));
    command.addAll(List.of(arguments));
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return process.waitFor(20, TimeUnit.SECONDS) && process.exitValue() == 0;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private List<String> peer(
      String host,
      int port,
      int rank,
      int batch,
      int perRound,
      DdpOptions.Averaging averaging,
      Activations activations) {
    // Surefire may hide the class path in a manifest; this is what it stands for.
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))
            .replace(';', File.pathSeparatorChar);
    return List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "-Xmx256m",
        "-XX:+UseSerialGC",
        "--enable-native-access=ALL-UNNAMED",
        "-Drdm.fixtures=" + System.getProperty("rdm.fixtures"),
        "-cp",
        classPath,
        TrainingPeerMain.class.getName(),
        host,
        Integer.toString(port),
        Integer.toString(rank),
        "2",
        Integer.toString(batch),
        Integer.toString(perRound),
        Integer.toString(STEPS),
        file(rank).toString(),
        averaging.name(),
        activations.name());
  }

  private Path file(int rank) {
    return folder.resolve("rank%s.safetensors".formatted(rank));
  }

  private void run(List<List<String>> commands) throws IOException, InterruptedException {
    List<Process> processes = new ArrayList<>();
    List<Path> logs = new ArrayList<>();
    try {
      for (List<String> command : commands) {
        Path log = folder.resolve("log%s.txt".formatted(logs.size()));
        logs.add(log);
        processes.add(
            new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start());
      }
      for (int rank = 0; rank < processes.size(); rank++) {
        assertThat(processes.get(rank).waitFor(SECONDS, TimeUnit.SECONDS))
            .as(Files.readString(logs.get(rank)))
            .isTrue();
        assertThat(processes.get(rank).exitValue()).as(Files.readString(logs.get(rank))).isZero();
      }
    } finally {
      processes.forEach(Process::destroyForcibly);
    }
  }

  private void assertSameAsOneProcess(int batch, int perRound) {
    TrainingOptions options =
        TinyRun.edm(batch, perRound, 1, STEPS).options(new TrainingOptions.Start.Fresh(), 0);
    try (ImageFolderDataset dataset = Trainer.open(options);
        Share second = Share.of(options, dataset, 1);
        Share first = Share.of(options, dataset, 0);
        // Seed 0 gives one process the first rank's weights.
        TrainingRun run = new TrainingRun(options, World.SINGLE, dataset)) {
      run.begin(0);
      for (int step = 0; step < STEPS; step++) {
        try (var _ = TensorScope.open()) {
          List<Tensor> before = gradients(run, first, batch / 2 / perRound);
          List<Tensor> after = gradients(run, second, batch / 2 / perRound);
          for (int i = 0; i < before.size(); i++) {
            Tensor sum = before.get(i).add(after.get(i));
            run.network().parameters().get(i).value().setGrad(sum);
          }
        }
        run.update();
      }
      Tensors one = Tensors.read(file(0));
      Tensors other = Tensors.read(file(1));
      try (var _ = TensorScope.open()) {
        run.network()
            .state()
            .forEach((name, p) -> {
              Tensors.assertSame(other.get(name), one.get(name), name);
              Tensors.assertSame(one.get(name), p.value().detach(), name);
            });
      }
    }
  }

  /** What a rank's rounds add up to, taken away from the run. */
  private static List<Tensor> gradients(TrainingRun run, Share share, int rounds) {
    for (int round = 0; round < rounds; round++) {
      try (Batch images = share.loader.next()) {
        run.accumulate(images, share.noise, false);
      }
    }
    List<Tensor> gradients =
        run.network().parameters().stream()
            .map(p -> Shapes.copy(Objects.requireNonNull(p.value().grad())))
            .toList();
    run.adam().clearGradients();
    return gradients;
  }

  /** A rank's part of the data and its noise. */
  private record Share(DataLoader loader, NoiseSource noise) implements AutoCloseable {
    static Share of(TrainingOptions options, ImageFolderDataset dataset, int rank) {
      // A run of the rank, not begun, stands where the rank's draws begin.
      byte[] state;
      World world = new World(rank, 2, Optional.empty(), DdpOptions.DEFAULT);
      try (TrainingRun run = new TrainingRun(options, world, dataset)) {
        state = run.noise().host().state();
      }
      Generator generator = Generator.seeded(0).restore(state);
      InfiniteSampler order =
          InfiniteSampler.shuffled(
              dataset.size(), rank, 2, options.seed(), InfiniteSampler.DEFAULT_WINDOW);
      return new Share(
          new DataLoader(dataset, order, options.batching().round(2), 1, Device.CPU),
          new NoiseSource(generator, generator));
    }

    @Override
    public void close() {
      loader.close();
      noise.host().close();
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }
}
