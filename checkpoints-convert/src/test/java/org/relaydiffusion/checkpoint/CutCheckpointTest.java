// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.FileException;
import org.relaydiffusion.model.safetensors.TensorSource;

/** A checkpoint of each kind that another program cuts to nothing after it was opened. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "a mapped file cannot be cut")
class CutCheckpointTest {
  @TempDir Path folder;

  static Stream<Path> files() {
    return Stream.concat(
        Fixtures.official().stream(),
        Fixtures.official().stream()
            .limit(1)
            .map(f -> Fixtures.beside(f, ".expected.safetensors")));
  }

  @ParameterizedTest
  @MethodSource("files")
  void isAFileExceptionForWhoeverReadsIt(Path original) throws IOException {
    Path file = Files.copy(original, folder.resolve("checkpoint"));
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      List<StoredTensor> tensors =
          Stream.concat(
                  checkpoint.networks().values().stream()
                      .flatMap(n -> n.tensors().values().stream()),
                  checkpoint.tensors().values().stream())
              .filter(t -> t.numel() > 0)
              .toList();
      TensorSource streamed = TensorSources.of(tensors.getFirst());
      try (RandomAccessFile writer = new RandomAccessFile(file.toFile(), "rw")) {
        writer.setLength(0);
      }
      assertThatThrownBy(() -> tensors.getLast().data())
          .isInstanceOf(FileException.class)
          .hasMessageContaining("was truncated by another program");
      assertThatThrownBy(() -> streamed.forEachChunk(chunk -> {}))
          .isInstanceOf(FileException.class)
          .hasMessageContaining("was truncated by another program");
    }
  }
}
