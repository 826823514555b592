// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Results that go to a full disk, to nobody, or whose messages cannot be written. */
@EnabledOnOs(value = OS.LINUX, disabledReason = "/dev/full is Linux's")
class UnwritableOutputTest {
  private static final File FULL = new File("/dev/full");
  private static final Path CHECKPOINT =
      Path.of(System.getProperty("rdm.fixtures"))
          .resolve("checkpoints/torch2_14_snapshot_cond/network-snapshot-000123.pkl");

  /** The system's words in English. */
  private final RdmProcess rdm = new RdmProcess(List.of(), Map.of("LC_ALL", "C"));

  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "doctor --json",
        "inspect FILE",
        "help",
        "--version",
        "completion bash",
        "launch --standalone --nproc_per_node=1 inspect FILE"
      })
  void aResultThatCannotBeWrittenIsAFailure(String line) throws Exception {
    String[] arguments = line.replace("FILE", CHECKPOINT.toString()).split(" ");

    ProcessBuilder builder = rdm.builder(arguments).redirectOutput(FULL);
    builder.environment().put("LANGUAGE", "C"); // The system's words, not in the user's language.
    RdmProcess.Ended ended = rdm.run(builder);

    assertThat(ended.err())
        .endsWith(
            "rdm: cannot write to standard output: no space left on device"
                + System.lineSeparator());
    assertThat(ended.code()).isEqualTo(1);
  }

  @Test
  void aReaderThatHasEnoughIsNoFailure() throws Exception {
    Path err = folder.resolve("err");
    Process process = rdm.builder("completion", "bash").redirectError(err.toFile()).start();
    process.getInputStream().close();

    assertThat(process.waitFor()).isZero();
    assertThat(Files.readString(err)).isEmpty();
  }

  @Test
  void aMistakeOfUseStaysOneWhereNothingCanBeWritten() throws Exception {
    RdmProcess.Ended ended =
        rdm.run(rdm.builder("generate").redirectOutput(FULL).redirectError(FULL));

    assertThat(ended.code()).isEqualTo(2);
  }

  @Test
  void aRunWhoseMessagesCannotBeWrittenIsFinished() throws IOException, InterruptedException {
    RdmProcess.Ended ended =
        rdm.run(
            rdm.builder(
                    "dataset",
                    "--source=synthetic:shapes",
                    "--images=4",
                    "--resolution=16x16",
                    "--dest=" + folder.resolve("set.zip"))
                .redirectError(FULL));

    assertThat(ended.code()).isZero();
    assertThat(ended.out()).contains("set.zip: 4 images");
    assertThat(folder.resolve("set.zip")).isNotEmptyFile();
  }
}
