// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.io.TempDir;

/** A process ends with the code it was given, whatever LibTorch does meanwhile. */
class NativeExitTest {
  private static final int SECONDS = 60;

  @TempDir private Path folder;

  @RepeatedTest(3)
  void theExitCodeIsTheOneThatWasAskedFor() throws Exception {
    // Surefire may hide the class path in a manifest; this is what it stands for.
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))
            .replace(';', File.pathSeparatorChar);
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "--enable-native-access=ALL-UNNAMED",
                    "-cp",
                    classPath,
                    BusyExitMain.class.getName(),
                    "143"))
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();

    assertThat(process.waitFor(SECONDS, TimeUnit.SECONDS)).isTrue();

    assertThat(process.exitValue()).as(Files.readString(output)).isEqualTo(143);
    assertThat(Files.readString(output)).isEmpty();
  }
}
