// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.StoredTensor;
import org.relaydiffusion.checkpoint.Which;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** Training of a network whose steps take milliseconds, by the script {@code rdm}. */
final class TinyTraining {
  private static final Path FIXTURES = Path.of(System.getProperty("rdm.fixtures"));
  private static final Path ROOT = FIXTURES.resolve("../..").normalize();

  private TinyTraining() {}

  /** Skips a test where the project has not been built. */
  static void assumeBuilt() {
    assumeTrue(
        Files.isDirectory(ROOT.resolve("rdm-launch/target/dist/native")),
        "rdm is built in phase package: run ./mvnw verify");
  }

  /** The arguments of {@code rdm}, the last of which count. */
  static List<String> train(Path outdir, String... more) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "train",
                "--outdir=" + outdir,
                "--data=" + FIXTURES.resolve("training/blur_accum2_cond/dataset.zip"),
                "--cond=1",
                "--precond=blur",
                "--cbase=8",
                "--cres=1,2",
                "--num-blocks=1",
                "--batch=4",
                "--duration=0.003",
                "--tick=0.008",
                "--dump=2",
                "--snap=0",
                "--sample-ticks=0",
                "--lr-rampup=0.1",
                "--device=cpu",
                "--threads=1",
                "--seed=3"));
    command.addAll(List.of(more));
    return command;
  }

  /** Starts {@code rdm}; what it prints goes to a file. */
  static Process started(Path log, String... arguments) throws IOException {
    List<String> command = new ArrayList<>(List.of(ROOT.resolve("rdm").toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("RDM_JAVA_HOME", System.getProperty("java.home"));
    builder.environment().put("RDM_JAVA_OPTS", "-Xmx256m -XX:TieredStopAtLevel=1");
    return builder.redirectErrorStream(true).redirectOutput(log.toFile()).start();
  }

  /** How many lines a file has; 0 where there is none. */
  static long lines(Path file) {
    try (Stream<String> lines = Files.lines(file)) {
      return lines.count();
    } catch (IOException e) {
      return 0;
    }
  }

  /** The state of the most images in a folder. */
  static Path lastState(Path run) throws IOException {
    try (Stream<Path> files = Files.list(run)) {
      return files.filter(f -> f.toString().endsWith(".pt")).max(Path::compareTo).orElseThrow();
    }
  }

  /** Holds that two states have the same number of images and the same bits. */
  static void assertSame(Path actual, Path expected) {
    try (Checkpoint a = Checkpoint.open(actual);
        Checkpoint e = Checkpoint.open(expected);
        TensorScope _ = TensorScope.open()) {
      assertThat(a.step()).isEqualTo(e.step());
      for (Which which : Which.values()) {
        Map<String, StoredTensor> tensors = a.network(which).tensors();
        e.network(which)
            .tensors()
            .forEach((name, tensor) -> {
              Tensor mine = Torch.fromData(Objects.requireNonNull(tensors.get(name)).data());
              assertThat(mine.toDoubles())
                  .as("%s %s", which, name)
                  .isEqualTo(Torch.fromData(tensor.data()).toDoubles());
            });
      }
    }
  }
}
