// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.c10d;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A table in a file, as several processes see it, also when one is killed in the middle. */
class FileTableTest {
  @TempDir private Path folder;

  private Path file() {
    return folder.resolve("store");
  }

  private FileTable open() throws IOException {
    return FileTable.open(file(), 2, soon());
  }

  private static Deadline soon() {
    return new Deadline(Duration.ofSeconds(30), () -> {});
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  @Test
  void whatOneSetsAllSee() throws Exception {
    FileTable first = open();
    FileTable second = open();
    byte[] large = new byte[1 << 20];
    large[large.length - 1] = 7;
    first.set("large", large, soon());
    first.set("small", bytes("value"), soon());
    assertThat(second.get("large", soon())).isEqualTo(large);
    assertThat(second.get("small", soon())).isEqualTo(bytes("value"));
    assertThat(second.compareSet("small", bytes("value"), bytes("new"), soon()))
        .isEqualTo(bytes("new"));
    assertThat(first.get("small", soon())).isEqualTo(bytes("new"));
    assertThat(first.has(List.of("small", "absent"), soon())).isFalse();
    first.close();
    assertThat(file()).exists();
    second.close();
    assertThat(file()).doesNotExist();
  }

  @Test
  void afterItsEndTheFileDoesNotComeBack() throws Exception {
    FileTable first = open();
    FileTable second = open();
    if (Files.getFileStore(folder).supportsFileAttributeView("posix")) {
      assertThat(Files.getPosixFilePermissions(file()))
          .containsExactlyInAnyOrder(
              PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);
    }
    first.close();
    second.close();
    assertThatThrownBy(() -> first.set("key", bytes("value"), soon()))
        .hasMessage("the store is closed");
    assertThat(file()).doesNotExist();
  }

  @Test
  void countersCountEveryThread() throws Exception {
    List<Thread> threads = new ArrayList<>();
    try (FileTable first = open();
        FileTable second = open()) {
      for (int i = 0; i < 8; i++) {
        FileTable table = i % 2 == 0 ? first : second;
        threads.add(
            Thread.ofPlatform()
                .start(() -> {
                  for (int n = 0; n < 50; n++) {
                    try {
                      table.add("count", 1, soon());
                    } catch (IOException e) {
                      throw new IllegalStateException(e);
                    }
                  }
                }));
      }
      for (Thread thread : threads) {
        thread.join();
      }
      assertThat(first.add("count", 0, soon())).isEqualTo(400);
      long size = Files.size(file());
      assertThat(second.add("count", 0, soon())).isEqualTo(400);
      assertThat(Files.size(file())).as("a look makes it no longer").isEqualTo(size);
    }
  }

  /** A process that is killed while it appends leaves bytes behind that nobody has counted. */
  @Test
  void halfARecordIsAsIfItWereNot() throws Exception {
    try (FileTable first = open();
        FileTable second = open()) {
      first.set("key", bytes("value"), soon());
      Files.write(file(), new byte[] {0, 0, 0, 9, 1, 2}, StandardOpenOption.APPEND);
      assertThat(second.get("key", soon())).isEqualTo(bytes("value"));
      second.set("other", bytes("more"), soon());
      assertThat(first.get("other", soon())).isEqualTo(bytes("more"));
    }
  }

  @Test
  void anotherFileIsRefused() throws Exception {
    Files.write(file(), bytes("this is a text, and no store of any kind"));
    assertThatThrownBy(this::open)
        .isInstanceOf(IOException.class)
        .hasMessage("the file is not that of this store");
    Files.write(
        file(),
        new byte[] {0, 0, 0, 0, 0, 0, 0, 24, 127, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1});
    assertThatThrownBy(this::open)
        .isInstanceOf(IOException.class)
        .hasMessage("the file is not that of this store");
  }

  @Test
  void aWaitEndsInTimeAndByAnInterrupt() throws Exception {
    try (FileTable table = open()) {
      assertThatThrownBy(() -> table.get("never", new Deadline(Duration.ofMillis(200), () -> {})))
          .isInstanceOf(SocketTimeoutException.class)
          .hasMessage("timed out after 200ms, keys without a value: never");
      CompletableFuture<Throwable> thrown = new CompletableFuture<>();
      Thread waiting =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  table.get("never", soon());
                } catch (IOException e) {
                  thrown.complete(e);
                }
              });
      Thread.sleep(100);
      waiting.interrupt();
      assertThat(thrown.get()).isInstanceOf(ClosedByInterruptException.class);
      table.set("later", bytes("all goes on"), soon());
    }
  }
}
