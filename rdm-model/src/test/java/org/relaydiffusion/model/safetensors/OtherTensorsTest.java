// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.FileException;

/** Types that the format has, but LibTorch's handles here have not. */
class OtherTensorsTest {
  @TempDir private Path folder;

  private Path file(String header, int data) throws IOException {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = ByteBuffer.allocate(8 + text.length + data).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(text.length).put(text);
    return Files.write(folder.resolve("a.safetensors"), bytes.array());
  }

  @ParameterizedTest
  @CsvSource({"F8_E4M3, 6", "F8_E5M2, 6", "F8_E8M0, 6", "U16, 12", "U32, 24", "U64, 48", "C64, 48"})
  void theyAreListedButNotLoaded(String type, int bytes) throws IOException {
    Path path =
        file(
            """
            {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
             "b": {"dtype": "%s", "shape": [2, 3], "data_offsets": [4, %s]}}\
            """
                .formatted(type, 4 + bytes),
            4 + bytes);
    try (SafetensorsFile file = SafetensorsFile.open(path)) {
      assertThat(file.tensors()).containsOnlyKeys("a");
      assertThat(file.otherTensors()).hasSize(1);
      assertThat(file.otherTensors().get("b")).hasToString(type + "[2, 3]");
    }
  }

  @Test
  void theirSizesAreChecked() throws IOException {
    Path wrong =
        file("{\"b\": {\"dtype\": \"U16\", \"shape\": [2, 3], \"data_offsets\": [0, 6]}}", 6);
    assertThatThrownBy(() -> SafetensorsFile.open(wrong).close())
        .isInstanceOf(FileException.class)
        .hasMessageContaining("of type U16 and shape [2, 3] has 6 bytes, expected 12");
    Path huge =
        file(
            "{\"b\": {\"dtype\": \"U64\", \"shape\": [4611686018427387904, 8],"
                + " \"data_offsets\": [0, 0]}}",
            0);
    assertThatThrownBy(() -> SafetensorsFile.open(huge).close())
        .isInstanceOf(FileException.class)
        .hasMessageContaining("more than any file has");
    Path unknown =
        file("{\"b\": {\"dtype\": \"F3\", \"shape\": [1], \"data_offsets\": [0, 1]}}", 1);
    assertThatThrownBy(() -> SafetensorsFile.open(unknown).close())
        .hasMessageContaining("the element type 'F3', not supported");
  }
}
