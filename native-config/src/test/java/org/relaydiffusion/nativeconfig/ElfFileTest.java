// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ElfFileTest {
  private static final int ONE_SEGMENT = 64 + 56;

  @TempDir Path folder;

  /**
   * A 64-bit header with a table of one segment, which has {@code bytes} bytes at {@code offset}.
   */
  private Path elf(long tableOffset, int entries, long offset, long bytes) throws IOException {
    ByteBuffer file = ByteBuffer.allocate(ONE_SEGMENT).order(ByteOrder.LITTLE_ENDIAN);
    file.putInt(0, 0x464c457f).put(4, (byte) 2).put(5, (byte) 1);
    file.putLong(32, tableOffset).putShort(54, (short) 56).putShort(56, (short) entries);
    file.putLong(64 + 8, offset).putLong(64 + 32, bytes);
    return Files.write(folder.resolve("lib.so"), file.array());
  }

  @Test
  void aWholeFilePasses() throws IOException {
    Path file = elf(64, 1, 0, ONE_SEGMENT);
    assertThatCode(() -> ElfFile.check(file)).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @ValueSource(longs = {ONE_SEGMENT + 1, 1L << 40, Long.MAX_VALUE, -1})
  void aSegmentBeyondTheEndIsCutShort(long bytes) throws IOException {
    Path file = elf(64, 1, 0, bytes);
    assertThatThrownBy(() -> ElfFile.check(file))
        .isInstanceOf(NativeLibraryException.class)
        .hasMessage(
            "%s is truncated: it has 120 bytes, but must have at least %s",
            file, Long.toUnsignedString(bytes));
  }

  @ParameterizedTest
  @ValueSource(longs = {65, 1L << 40, Long.MAX_VALUE - 100, -8})
  void aTableBeyondTheEndIsCutShort(long table) throws IOException {
    Path file = elf(table, 1, 0, 1);
    assertThatThrownBy(() -> ElfFile.check(file))
        .isInstanceOf(NativeLibraryException.class)
        .hasMessageStartingWith(file + " is truncated: it has 120 bytes");
  }

  @Test
  void whatIsNoElfFileIsLeftToTheLoader() throws IOException {
    Path empty = Files.createFile(folder.resolve("empty"));
    Path text = Files.writeString(folder.resolve("text"), "x".repeat(200));
    assertThatCode(() -> ElfFile.check(empty)).doesNotThrowAnyException();
    assertThatCode(() -> ElfFile.check(text)).doesNotThrowAnyException();
  }
}
