// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.FileException;

/** A file that another program cuts while it is mapped. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "a mapped file cannot be cut")
class CutFileTest {
  private static final int SIZE = 1 << 20;

  @TempDir Path folder;

  private Path file() throws IOException {
    return Files.write(folder.resolve("file"), new byte[SIZE]);
  }

  private static void cut(Path file, long length) throws IOException {
    try (RandomAccessFile writer = new RandomAccessFile(file.toFile(), "rw")) {
      writer.setLength(length);
    }
  }

  @Test
  void readingBeyondTheNewEndIsAFileException() throws IOException {
    Path path = file();
    try (MappedFile file = MappedFile.open(path)) {
      file.checkWhole();
      cut(path, 100);
      String reason =
          path + ": was truncated by another program while it was open, from 1048576 bytes to 100";
      assertCut(() -> file.reading(() -> file.u8(SIZE - 1, "a byte")), reason);
      assertCut(() -> file.reading(() -> file.i64(SIZE / 2, "a number")), reason);
      assertCut(() -> file.bytes(0, SIZE, "all"), reason);
      assertCut(() -> file.bytesOnce(0, SIZE, "all"), reason);
      assertCut(file::checkWhole, reason);
    }
  }

  @Test
  void aFileThatIsReplacedOrGrowsIsWhole() throws IOException {
    Path path = file();
    try (MappedFile file = MappedFile.open(path)) {
      Path other = Files.write(folder.resolve("other"), new byte[10]);
      Files.move(other, path, StandardCopyOption.REPLACE_EXISTING);
      assertThatCode(file::checkWhole).doesNotThrowAnyException();
      assertThatCode(() -> file.bytes(0, SIZE, "all")).doesNotThrowAnyException();
    }
    try (MappedFile file = MappedFile.open(path)) {
      cut(path, SIZE);
      Thread.currentThread().interrupt();
      // An interrupt closes channels; this must still know the length.
      assertThatCode(file::checkWhole).doesNotThrowAnyException();
    } finally {
      Thread.interrupted();
    }
  }

  @Test
  void soItIsInCompiledCode() throws IOException {
    Path path = file();
    for (int round = 0; round < 20; round++) {
      cut(path, SIZE);
      try (MappedFile file = MappedFile.open(path)) {
        for (int i = 0; i < 20_000; i++) {
          sum(file, 64);
        }
        cut(path, 100);
        assertCut(() -> sum(file, SIZE), " to 100");
      }
    }
  }

  private static long sum(MappedFile file, int bytes) {
    return file.reading(() -> {
      long sum = 0;
      for (int i = 0; i < bytes; i += 8) {
        sum += file.i64(i, "a number");
      }
      return sum;
    });
  }

  private static void assertCut(ThrowingCallable call, String reason) {
    assertThatThrownBy(call).isInstanceOf(FileException.class).hasMessageEndingWith(reason);
  }
}
