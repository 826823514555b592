// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;

class FilesTest {
  @TempDir Path folder;

  private static AtomicFile.Writer text(String text) {
    return out -> out.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  private long entries() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.count();
    }
  }

  @Test
  void aFileIsReplacedWholeAndItsFolderMade() throws IOException {
    Path target = folder.resolve("a/b/file.txt");
    AtomicFile.write(target, text("the old one, and longer"));
    AtomicFile.write(target, text("new"));
    assertThat(target).hasContent("new");
    try (Stream<Path> files = Files.list(target.getParent())) {
      assertThat(files).containsExactly(target);
    }
  }

  @Test
  void anInterruptIsNoDamageAndLeavesTheOldFile() throws IOException {
    Path target = folder.resolve("file.txt");
    AtomicFile.write(target, text("old"));

    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> AtomicFile.write(target, text("new")))
        .isInstanceOf(CancelledException.class)
        .hasMessage("writing " + target + " was interrupted");
    assertThatThrownBy(() -> MappedFile.open(target))
        .isInstanceOf(CancelledException.class)
        .hasMessage("reading " + target + " was interrupted");

    assertThat(Thread.interrupted()).isTrue();
    assertThat(target).hasContent("old");
    assertThat(entries()).isEqualTo(1);
  }

  @Test
  void whatAnEndingProcessAbandonsLeavesTheOldFileAndNothingElse() throws IOException {
    Path target = folder.resolve("file.txt");
    AtomicFile.write(target, text("old"));
    assertThatThrownBy(() ->
            AtomicFile.write(
                target,
                out -> {
                  text("half").write(out);
                  AtomicFile.abandonUnfinished();
                  assertThat(entries()).isEqualTo(1);
                }))
        .isInstanceOf(FileException.class);
    assertThat(target).hasContent("old");
    assertThat(entries()).isEqualTo(1);
  }

  @Test
  void aWriterThatFailsLeavesTheOldFileAndNothingElse() throws IOException {
    Path target = folder.resolve("file.txt");
    AtomicFile.write(target, text("old"));
    assertThatThrownBy(() ->
            AtomicFile.write(
                target,
                out -> {
                  text("half").write(out);
                  throw new IOException("No space left on device");
                }))
        .isInstanceOf(FileException.class)
        .hasMessage(target + ": cannot be written: No space left on device");
    assertThat(target).hasContent("old");
    assertThat(entries()).isEqualTo(1);
  }

  @Test
  @DisabledOnOs(value = OS.WINDOWS, disabledReason = "modes are those of POSIX")
  void aFileHasTheRightsThatAnyNewFileOfTheUsersHas() throws IOException {
    Path target = folder.resolve("file.txt");
    AtomicFile.write(target, text("x"));
    Path ordinary = Files.createFile(folder.resolve("ordinary"));
    assertThat(Files.getPosixFilePermissions(target))
        .isEqualTo(Files.getPosixFilePermissions(ordinary));
  }

  @Test
  void aMappedFileIsReadLittleEndian() throws IOException {
    byte[] bytes = {(byte) 0xff, 1, 0, (byte) 0x80, 0, 0, 0, 0};
    Path path = Files.write(folder.resolve("b"), bytes);
    try (MappedFile file = MappedFile.open(path)) {
      assertThat(file.size()).isEqualTo(8);
      assertThat(file.u8(0, "x")).isEqualTo(255);
      assertThat(file.u16(0, "x")).isEqualTo(0x1ff);
      assertThat(file.u32(0, "x")).isEqualTo(0x800001ffL);
      assertThat(file.i64(0, "x")).isEqualTo(0x800001ffL);
      assertThat(file.bytes(6, 2, "x")).containsExactly(0, 0);
      assertThat(file.bytesOnce(6, 2, "x")).containsExactly(0, 0);
      assertThat(file.bytesOnce(6, 2, "x")).containsExactly(0, 0);
      assertThat(file.bytesOnce(8, 0, "x")).isEmpty();
    }
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aFileThatIsReadOnceDoesNotStayInMemory() throws IOException {
    Path path = folder.resolve("large");
    int piece = 20_000;
    int size = 128 << 20;
    try (FileChannel channel =
        FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.allocate(1), size - 1);
    }
    try (MappedFile file = MappedFile.open(path)) {
      for (int at = 0; at < size; at += 16 << 20) {
        file.bytes(at, 16 << 20, "x");
      }
      assertThat(residentBytes(path)).isGreaterThanOrEqualTo(size);
    }
    try (MappedFile file = MappedFile.open(path)) {
      for (long at = 0; at + piece <= size; at += piece) {
        file.bytesOnce(at, piece, "x");
      }
      // 32 MiB, and what is mapped around them.
      assertThat(residentBytes(path)).isLessThan(40 << 20);
    }
  }

  /** How much of a mapped file this process holds. */
  private static long residentBytes(Path path) throws IOException {
    long kib = 0;
    boolean isFile = false;
    for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
      if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
        isFile = line.endsWith(path.toRealPath().toString());
      } else if (isFile && line.startsWith("Rss:")) {
        kib += Long.parseLong(line.replaceAll("[^0-9]", ""));
      }
    }
    return kib << 10;
  }

  @ParameterizedTest
  @CsvSource({
    "0,9",
    "8,1",
    "-1,1",
    "0,-1",
    "9,0",
    "1,9223372036854775807",
    "9223372036854775807,1"
  })
  void aRangeOutsideTheFileIsRefusedByName(long offset, long length) throws IOException {
    Path path = Files.write(folder.resolve("b"), new byte[8]);
    try (MappedFile file = MappedFile.open(path)) {
      assertThatThrownBy(() -> file.slice(offset, length, "tensor t"))
          .isInstanceOf(FileException.class)
          .hasMessageStartingWith(path + ": tensor t requires ")
          .hasMessageEndingWith("but the file has 8 bytes");
    }
  }

  @Test
  void anEmptyFileIsMappedAndAMissingOneNamed() throws IOException {
    try (MappedFile file = MappedFile.open(Files.createFile(folder.resolve("empty")))) {
      assertThat(file.size()).isZero();
      assertThatThrownBy(() -> file.u8(0, "x")).isInstanceOf(FileException.class);
    }
    Path missing = folder.resolve("missing");
    assertThatThrownBy(() -> MappedFile.open(missing))
        .isInstanceOf(FileException.class)
        .hasMessage(missing + ": cannot be read: no such file or folder");
    assertThatThrownBy(() -> MappedFile.open(folder))
        .isInstanceOf(FileException.class)
        .hasMessage(folder + ": is a folder, not a file");
  }
}
