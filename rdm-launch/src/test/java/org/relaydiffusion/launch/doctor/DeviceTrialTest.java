// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.doctor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.launch.process.WorkerCommand;

/** What is said of a device, by what becomes of the process that tries it. */
class DeviceTrialTest {
  private static final Duration LONG = Duration.ofMinutes(2);

  /** A process that tries a device which behaves as its argument says. */
  static final class OddDeviceMain {
    private OddDeviceMain() {}

    public static void main(String[] arguments) throws Exception {
      PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true);
      out.println("a line of a library");
      out.println(DeviceLines.begun(Exercise.CONVOLUTION));
      switch (arguments[0]) {
        case "wrong" -> {
          for (Exercise exercise : Exercise.values()) {
            out.println(
                DeviceLines.ended(
                    new DeviceCheck.Result(
                        exercise.words(),
                        1,
                        exercise == Exercise.PRODUCT ? Double.NaN : 0,
                        0.001)));
          }
        }
        case "crashing" -> {
          System.err.println("Could not load library libcudnn_graph.so.9");
          Runtime.getRuntime().halt(134);
        }
        case "faulting" -> MemorySegment.NULL.reinterpret(8).set(ValueLayout.JAVA_LONG, 0, 1);
        case "hanging" -> {
          out.println(
              DeviceLines.ended(new DeviceCheck.Result(Exercise.CONVOLUTION.words(), 1, 0, 0.001)));
          out.println(DeviceLines.begun(Exercise.ATTENTION));
          Thread.sleep(LONG);
        }
        case "talking" -> {
          byte[] line = "a library complains\n".repeat(4096).getBytes(StandardCharsets.US_ASCII);
          while (true) {
            System.err.write(line);
          }
        }
        case "refusing" -> out.println(DeviceLines.failed("CUDA error: no kernel image"));
        default -> {}
      }
    }
  }

  private static WorkerCommand command(Class<?> main) {
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))
            .replace(';', File.pathSeparatorChar);
    return (arguments, _) -> {
      List<String> line =
          new ArrayList<>(
              List.of(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-Xmx256m",
                  "--enable-native-access=ALL-UNNAMED",
                  "-cp",
                  classPath,
                  main.getName()));
      line.addAll(arguments);
      return line;
    };
  }

  private static DeviceCheck odd(String device, Duration timeout) {
    return DeviceTrial.of(command(OddDeviceMain.class), Map.of(), timeout).one(device);
  }

  /** The CPU, tried as a device, computes what the CPU does. */
  @Test
  void aDeviceThatComputesRightPasses() {
    DeviceCheck check =
        DeviceTrial.of(command(DeviceCheckMain.class), System.getenv(), LONG).one("cpu");
    assertThat(check.failure()).isEmpty();
    assertThat(check.passed()).as("%s", check).isTrue();
    assertThat(check.results())
        .extracting(DeviceCheck.Result::operation)
        .containsExactly("3x3 convolution", "matrix product", "attention", "random draw");
    assertThat(check.results())
        .allSatisfy(r -> assertThat(r.milliseconds()).isPositive())
        .filteredOn(r -> !r.operation().equals("random draw"))
        .allSatisfy(r -> assertThat(r.difference()).isLessThan(1e-5));
    assertThat(check.text())
        .matches(
            "results agree with the CPU's: 3x3 convolution [0-9.]+ ms, matrix product [0-9.]+ ms,"
                + " attention [0-9.]+ ms, random draw [0-9.]+ ms");
  }

  @Test
  void aDeviceThatIsNotThereFailsInTheWordsOfTheBinding() {
    DeviceCheck check =
        DeviceTrial.of(command(DeviceCheckMain.class), System.getenv(), LONG).one("cuda:97");
    assertThat(check.passed()).isFalse();
    assertThat(check.text())
        .startsWith("failed before the first operation: device cuda:97 cannot be used: ");
  }

  @Test
  void wrongResultsAreSaidToBeWrong() {
    DeviceCheck check = odd("wrong", LONG);
    assertThat(check.passed()).isFalse();
    assertThat(check.text())
        .isEqualTo(
            "computes wrong results: matrix product differs from the CPU's by NaN of its largest"
                + " element, 0.001 allowed");
  }

  @Test
  void aCrashEndsOnlyItsProcess() {
    assertThat(odd("crashing", LONG).text())
        .isEqualTo(
            "its process was killed by SIGABRT (exit code 134) during the 3x3 convolution: Could not"
                + " load library libcudnn_graph.so.9");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void theFaultsPlaceIsNamed() {
    assertThat(odd("faulting", LONG).text())
        .startsWith("its process crashed during the 3x3 convolution: in ")
        .doesNotContain("\n");
  }

  @Test
  void aHangingDeviceIsGivenUp() {
    DeviceCheck check = odd("hanging", Duration.ofSeconds(3));
    assertThat(check.passed()).isFalse();
    assertThat(check.text())
        .isEqualTo("no answer within 3 s during the attention: its process was ended");
    assertThat(check.results()).hasSize(1);
  }

  @Test
  void aLibraryThatPrintsWithoutAnEndIsEnded() {
    DeviceCheck check = odd("talking", LONG);
    assertThat(check.passed()).isFalse();
    assertThat(check.text())
        .isEqualTo("its process wrote more than 16 MiB during the 3x3 convolution, and was ended");
  }

  /** The doctor's own main, given what no device is called. */
  @Test
  void anUnexpectedExceptionIsTheReasonWithoutItsPlace() {
    WorkerCommand nothing = (_, display) -> command(DeviceCheckMain.class).line(List.of(), display);
    DeviceCheck check = DeviceTrial.of(nothing, System.getenv(), LONG).one("cpu");
    assertThat(check.text())
        .startsWith(
            "failed before the first operation: java.lang.ArrayIndexOutOfBoundsException: ");
  }

  @Test
  void whatATrialThrowsIsThrownAsItWas() {
    CancelledException thrown = new CancelledException();
    WorkerCommand throwing =
        (_, _) -> {
          throw thrown;
        };
    DeviceTrial trial = DeviceTrial.of(throwing, Map.of(), LONG);
    assertThatThrownBy(() -> trial.all(List.of("cuda:0", "cuda:1"))).isSameAs(thrown);
  }

  @Test
  void aRefusalIsPassedOnAndSilenceIsNoSuccess() {
    assertThat(odd("refusing", LONG).text())
        .isEqualTo("failed during the 3x3 convolution: CUDA error: no kernel image");
    DeviceCheck silent = odd("silent", LONG);
    assertThat(silent.passed()).isFalse();
    assertThat(silent.text())
        .startsWith("its process ended with exit code 0 during the 3x3 convolution");
  }

  @Test
  void allDevicesAreTriedAndReportedInOrder() {
    DeviceTrial trial = DeviceTrial.of(command(OddDeviceMain.class), Map.of(), LONG);
    assertThat(trial.all(List.of("refusing", "crashing", "wrong")))
        .extracting(DeviceCheck::device)
        .containsExactly("refusing", "crashing", "wrong");
  }

  @Test
  void aProcessThatCannotBeStartedIsAReason() {
    WorkerCommand none = (_, _) -> List.of("/no/such/program");
    DeviceCheck check = DeviceTrial.of(none, Map.of(), LONG).one("cuda:0");
    assertThat(check.passed()).isFalse();
    assertThat(check.text()).startsWith("not tried, because no process can be started: ");
  }
}
