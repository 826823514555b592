// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.launch.process.WorkerCommand;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.DeviceMemoryException;
import org.relaydiffusion.torch.Torch;
import picocli.CommandLine;

/** Whoever is told that memory is missing is told which option needs less. */
class LessMemoryTest {
  private static final long FAR_TOO_MUCH = 1L << 50;

  @ParameterizedTest
  @CsvSource({"generate, --batch", "train, --batch-gpu", "inspect, ''"})
  void theOptionOfTheCommandIsNamed(String name, String option) {
    StringWriter err = new StringWriter();
    Console console =
        new Console(new PrintWriter(new StringWriter()), new PrintWriter(err), false, Map.of());
    CommandLine command =
        RootCommand.commandLine(console, new StopSignal(), WorkerCommand.likeThisProcess(Rdm.class))
            .getSubcommands()
            .get(name);
    DeviceMemoryException thrown =
        catchThrowableOfType(
            DeviceMemoryException.class,
            () -> Torch.empty(DType.FLOAT32, Device.CPU, FAR_TOO_MUCH).close());

    assertThat(new Failures(console, List.of()).execution(thrown, Objects.requireNonNull(command)))
        .isEqualTo(ExitCode.FAILURE);

    String line = err.toString().strip();
    assertThat(line).startsWith("rdm: ").doesNotContain("\n");
    if (option.isEmpty()) {
      assertThat(line).doesNotContain("try a smaller");
    } else {
      assertThat(line).contains("; try a smaller " + option);
    }
  }
}
