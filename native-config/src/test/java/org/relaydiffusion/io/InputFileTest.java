// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.FileException;

/** What is no regular file is refused in one line, without being opened: a pipe would hang. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "has no named pipes in folders")
@Timeout(value = 20, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class InputFileTest {
  @TempDir Path folder;

  @Test
  void aPipeIsRefusedBeforeItIsOpened() throws Exception {
    Path pipe = folder.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    String reason = "is a pipe, expected a regular file: save its output to a file first";
    assertRefused(pipe, reason);
    // What a shell's <(command) and | give is a link to one.
    Path link = Files.createSymbolicLink(folder.resolve("link"), pipe);
    assertRefused(link, reason);
  }

  @Test
  void aSocketIsRefused() throws IOException {
    // The name of a socket may not be longer than 107 bytes.
    Path socket = Files.createTempDirectory(Path.of("/tmp"), "rdm").resolve("s");
    try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
      server.bind(UnixDomainSocketAddress.of(socket));
      assertRefused(socket, "is a socket, expected a regular file");
    } finally {
      Files.deleteIfExists(socket);
      Files.delete(socket.getParent());
    }
  }

  @Test
  void aDeviceAndAFolderAreRefused() throws IOException {
    assertRefused(Path.of("/dev/zero"), "is a character device, expected a regular file");
    assertRefused(folder, "is a folder, not a file");
  }

  @Test
  void aDeviceOrAPipeIsNotReplacedByAFile() throws Exception {
    Path pipe = folder.resolve("pipe");
    assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor()).isZero();
    for (Path target : List.of(pipe, Path.of("/dev/null"))) {
      assertThatThrownBy(() -> AtomicFile.write(target, out -> out.write(ByteBuffer.allocate(1))))
          .isInstanceOf(FileException.class)
          .hasMessageMatching(
              target + ": is a (pipe|character device), which cannot be replaced by a file");
      assertThatThrownBy(() -> AtomicFile.checkWritable(target)).isInstanceOf(FileException.class);
      assertThat(Files.isRegularFile(target)).isFalse();
    }
  }

  @Test
  void aRegularFileIsReadAlsoThroughALink() throws IOException {
    Path file = Files.write(folder.resolve("file"), new byte[] {'a', '\n', (byte) 0xff});
    Path link = Files.createSymbolicLink(folder.resolve("link"), file);
    assertThat(InputFile.bytes(link)).containsExactly('a', '\n', 0xff);
    assertThat(InputFile.lines(link)).containsExactly("a", "\ufffd");
    assertThatThrownBy(() -> InputFile.bytes(folder.resolve("missing")))
        .isInstanceOf(java.nio.file.NoSuchFileException.class);
  }

  private static void assertRefused(Path file, String reason) {
    List<Callable<Object>> readers =
        List.of(
            () -> MappedFile.open(file),
            () -> InputFile.stream(file),
            () -> InputFile.channel(file),
            () -> InputFile.bytes(file));
    for (Callable<Object> reader : readers) {
      assertThatThrownBy(reader::call)
          .isInstanceOf(FileException.class)
          .hasMessage(file + ": " + reason);
    }
  }
}
