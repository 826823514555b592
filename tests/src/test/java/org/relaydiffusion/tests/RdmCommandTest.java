// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.torch.testing.FileNames;

/** The built command as a user starts it: the script, the module path, a process of its own. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "the script rdm is for a POSIX shell")
class RdmCommandTest {
  private static final Path FIXTURES = Path.of(System.getProperty("rdm.fixtures"));
  private static final Path ROOT = FIXTURES.resolve("../..").normalize();

  @TempDir private Path folder;

  private record Finished(int code, List<String> output) {}

  /** The script builds what is out of date, and a build must not start another one. */
  @BeforeAll
  static void theCommandIsBuilt() throws IOException {
    Path built = ROOT.resolve("rdm-launch/target/dist/native");
    assumeTrue(Files.isDirectory(built), "rdm is built in phase package: run ./mvnw verify");
    FileTime at = Files.getLastModifiedTime(built);
    try (Stream<Path> files = Files.walk(ROOT, 20)) {
      boolean newer =
          files
              .filter(f -> f.endsWith("pom.xml") || f.toString().contains("/src/main/"))
              .anyMatch(f -> isNewer(f, at));
      assumeTrue(!newer, "rdm is out of date: run ./mvnw verify");
    }
  }

  private static boolean isNewer(Path file, FileTime than) {
    try {
      return Files.isRegularFile(file) && Files.getLastModifiedTime(file).compareTo(than) > 0;
    } catch (IOException e) {
      return false; // Deleted by another process in the meantime.
    }
  }

  private static Finished rdm(String... arguments) throws IOException, InterruptedException {
    return rdm(Map.of(), arguments);
  }

  private static Finished rdm(Map<String, String> environment, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(ROOT.resolve("rdm").toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("RDM_JAVA_HOME", System.getProperty("java.home"));
    builder.environment().putAll(environment);
    Process process = builder.start();
    List<String> output = process.inputReader().lines().toList();
    return new Finished(process.waitFor(), output);
  }

  @Test
  void doctorFindsLibTorchFromTheModulePath() throws IOException, InterruptedException {
    Finished doctor = rdm("doctor");
    assertThat(doctor.code).as(String.join("\n", doctor.output)).isZero();
    assertThat(doctor.output).anyMatch(line -> line.contains("LibTorch"));
    assertThat(doctor.output).noneMatch(line -> line.startsWith("WARNING"));
  }

  /** As in a container, a cron or a Slurm job without a locale, with another collector. */
  @Test
  void whereTheLocaleIsCFilesHaveNamesThatAreNotAscii() throws IOException, InterruptedException {
    FileNames.assumeUnicode(); // This process makes the names, the script reads them.
    Path pictures = folder.resolve("\u00e9t\u00e9");
    Map<String, String> bare = Map.of("LC_ALL", "C", "JAVA_TOOL_OPTIONS", "-XX:+UseParallelGC");
    Finished made =
        rdm(
            bare,
            "dataset",
            "--quiet",
            "--source=synthetic:shapes",
            "--images=1",
            "--resolution=16x16",
            "--dest=" + pictures);
    assertThat(made.code).as(String.join("\n", made.output)).isZero();
    Path picture;
    try (Stream<Path> files = Files.walk(pictures)) {
      picture = files.filter(f -> f.toString().endsWith(".png")).findFirst().orElseThrow();
    }
    Files.move(picture, picture.resolveSibling("caf\u00e9.png"));
    Files.deleteIfExists(pictures.resolve("dataset.json"));
    Path archive = folder.resolve("\u00e9.zip");
    Finished packed = rdm(bare, "dataset", "--source=" + pictures, "--dest=" + archive);
    assertThat(packed.code).as(String.join("\n", packed.output)).isZero();
    assertThat(archive).isNotEmptyFile();
  }

  @Test
  void aMistakeOfUseIsNamedAndExitsWith2() throws IOException, InterruptedException {
    Finished mistake = rdm("generate");
    assertThat(mistake.code).isEqualTo(2);
    assertThat(mistake.output)
        .anyMatch(line -> line.startsWith("rdm: ") && line.contains("--outdir"));
    assertThat(mistake.output).noneMatch(line -> line.stripLeading().startsWith("at "));
  }

  @Test
  void bothStagesMakeAPictureFromOfficialCheckpoints() throws IOException, InterruptedException {
    Path relay = FIXTURES.resolve("samplers/relay_cond_cfg");
    Finished sampled =
        rdm(
            "generate",
            "--network_first=" + relay.resolve("first.pkl"),
            "--network_second=" + relay.resolve("second.pt"),
            "--outdir=" + folder,
            "--seeds=0-1",
            "--threads=1",
            "--num_steps_first=2",
            "--num_steps_second=4");
    assertThat(sampled.code).as(String.join("\n", sampled.output)).isZero();
    try (Stream<Path> files = Files.walk(folder)) {
      assertThat(files.filter(f -> f.toString().endsWith(".png"))).hasSize(2);
    }
  }

  @Test
  void launchedRanksAreJvmsFromTheSameModulePath() throws IOException, InterruptedException {
    Path relay = FIXTURES.resolve("samplers/relay_cond_cfg");
    Finished launched =
        rdm(
            "launch",
            "--standalone",
            "--nproc-per-node=2",
            "generate",
            "--network_first=" + relay.resolve("first.pkl"),
            "--network_second=" + relay.resolve("second.pt"),
            "--outdir=" + folder,
            "--seeds=0-3",
            "--batch=2",
            "--num_steps_first=2",
            "--num_steps_second=4");
    assertThat(launched.code).as(String.join("\n", launched.output)).isZero();
    assertThat(launched.output)
        .allMatch(line -> line.startsWith("[rank ") || line.startsWith("rdm launch: "))
        .anyMatch(line -> line.startsWith("[rank 1] "));
    try (Stream<Path> files = Files.walk(folder)) {
      assertThat(files.filter(f -> f.toString().endsWith(".png"))).hasSize(4);
    }
  }
}
