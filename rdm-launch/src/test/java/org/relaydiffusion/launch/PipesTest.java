// SPDX-License-Identifier: Apache-2.0
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
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "has no named pipes in folders")
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class PipesTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "inspect PIPE.pt",
        "convert --source=PIPE.pt --dest=OUT",
        "convert --inception --source=PIPE.pt --dest=OUT",
        "generate --network_first=PIPE.pt --sampler_stages=first --outdir=OUT --seeds=0",
        "train --data=PIPE.zip --outdir=OUT",
        "dataset --source=PIPE.zip --dest=OUT",
        "evaluate calc --metrics=fid --activations_sample=PIPE.npz --activations_ref=PIPE.npz",
        "evaluate activations --data=PIPE.zip --dest=OUT.npz --inception=PIPE.pt",
      })
  void isRefusedInOneLine(String command) throws IOException, InterruptedException {
    Path pipe = folder.resolve("pipe");
    for (String extension : List.of(".pt", ".zip", ".npz")) {
      Process made = new ProcessBuilder("mkfifo", pipe + extension).start();
      assertThat(made.waitFor()).isZero();
    }
    List<String> arguments =
        Arrays.stream(command.split(" "))
            .map(a ->
                a.replace("PIPE", pipe.toString()).replace("OUT", folder.resolve("out").toString()))
            .toList();

    RdmRun run = RdmRun.of(arguments.toArray(String[]::new));

    assertThat(run.code()).as(run.err()).isNotZero();
    assertThat(run.err().lines())
        .filteredOn(line -> line.startsWith("rdm: " + pipe))
        .singleElement()
        .asString()
        .contains(": is a pipe, expected a regular file");
  }
}
