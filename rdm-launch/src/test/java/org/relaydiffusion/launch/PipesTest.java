package org.relaydiffusion.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A pipe that nobody writes to, in the place of each file that a command takes: to open it would
 * wait for ever. It is refused in one line instead.
 */
@DisabledOnOs(OS.WINDOWS)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PipesTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "inspect PIPE",
        "convert --source=PIPE --dest=OUT",
        "convert --inception --source=PIPE --dest=OUT",
        "generate --network_first=PIPE --sampler_stages=first --outdir=OUT --seeds=0",
        "train --data=PIPE --outdir=OUT",
        "dataset --source=PIPE --dest=OUT",
        "calc --metrics=fid --activations_sample=PIPE --activations_ref=PIPE",
        "activations --data=PIPE --dest=OUT",
        "report --activations_sample=PIPE --activations_ref=PIPE --dest=OUT",
      })
  void isRefusedInOneLine(String command) throws IOException, InterruptedException {
    Path pipe = folder.resolve("pipe.npz");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    List<String> arguments =
        Arrays.stream(command.split(" "))
            .map(a ->
                a.replace("PIPE", pipe.toString()).replace("OUT", folder.resolve("out").toString()))
            .toList();

    RdmRun run = RdmRun.of(arguments.toArray(String[]::new));

    assertThat(run.code()).as(run.err()).isNotZero();
    assertThat(run.error()).startsWith("rdm: " + pipe + ": ").contains("is a pipe, expected");
    assertThat(run.err().lines()).hasSizeLessThanOrEqualTo(2);
  }
}
