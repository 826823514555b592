// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.FileException;

class RunLockTest {
  @TempDir private Path folder;

  /** Holds the lock of a folder until it is killed. */
  static final class Holder {
    private Holder() {}

    public static void main(String[] arguments) throws IOException {
      try (RunLock _ = RunLock.take(Path.of(arguments[0]), Duration.ZERO)) {
        System.out.println("held");
        int _ = System.in.read();
      }
    }
  }

  @Test
  void theFolderOfAnotherProcessIsRefusedByItsNameUntilThatIsKilled() throws Exception {
    Process holder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path")
                    + System.getProperty("path.separator")
                    + System.getProperty("jdk.module.path", ""),
                Holder.class.getName(),
                folder.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      BufferedReader out =
          new BufferedReader(
              new InputStreamReader(holder.getInputStream(), StandardCharsets.UTF_8));
      assertThat(out.readLine()).isEqualTo("held");

      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(() -> RunLock.take(folder, Duration.ZERO))
            .isInstanceOf(FileException.class)
            .hasMessageStartingWith(folder + ": is in use by process " + holder.pid() + " of host ")
            .hasMessageContaining(", started 20");
        assertThatThrownBy(() -> RunLock.check(folder)).isInstanceOf(FileException.class);
      }
      assertThat(folder.resolve(RunLock.FILE)).content().contains("pid: " + holder.pid());
    } finally {
      holder.destroyForcibly();
    }
    holder.waitFor();
    RunLock.check(folder);
    RunLock.take(folder, Duration.ofSeconds(10)).close();
  }

  @Test
  void aSecondOwnerInThisProcessIsRefusedAndTheFirstKeepsTheLock() throws IOException {
    try (RunLock _ = RunLock.take(folder, Duration.ZERO)) {
      assertThatThrownBy(() -> RunLock.take(folder, Duration.ZERO))
          .isInstanceOf(FileException.class)
          .hasMessage(folder + ": is in use by this process");
      assertThatThrownBy(() -> RunLock.check(folder)).isInstanceOf(FileException.class);
      assertThat(Files.readString(folder.resolve(RunLock.FILE)))
          .contains("pid: " + ProcessHandle.current().pid());
    }
    RunLock.take(folder, Duration.ZERO).close();
    assertThat(folder.resolve(RunLock.FILE)).isEmptyFile();
  }

  @Test
  void whereThereAreNoLocksTheTextDecides() throws Exception {
    RunLock.Holder me = RunLock.Holder.self();
    RunLock.Holder dead = new RunLock.Holder(me.host(), me.pid(), Instant.EPOCH);
    RunLock.Holder elsewhere = new RunLock.Holder("node7", 17, Instant.EPOCH);

    assertThatThrownBy(() -> RunLock.withoutLocks(Optional.of(me), "no locks"))
        .isInstanceOf(RunLock.HeldException.class)
        .hasMessageContaining("process " + me.pid());
    assertThat(RunLock.withoutLocks(Optional.of(dead), "no locks"))
        .contains("this file system does not support locks (no locks)");
    assertThat(RunLock.withoutLocks(Optional.of(elsewhere), "no locks").orElseThrow())
        .contains("whether process 17 of host node7, started 1970")
        .endsWith("is still running");
    assertThat(RunLock.Holder.parse(me.text())).contains(me);
    assertThat(RunLock.Holder.parse("host: a\npid: ")).isEmpty();
  }
}
