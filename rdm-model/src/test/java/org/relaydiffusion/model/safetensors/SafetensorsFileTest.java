// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.safetensors;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.FileException;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.TensorData;

class SafetensorsFileTest {
  @TempDir Path folder;

  @Test
  void whatIsWrittenIsReadBackAlignedAndInOrder() {
    Path file = folder.resolve("a.safetensors");
    SafetensorsWriter.write(file, sample(), Map.of("format", "pt", "note", "\u00fc\n\"x\""));
    try (SafetensorsFile read = SafetensorsFile.open(file)) {
      assertThat(read.metadata()).isEqualTo(Map.of("format", "pt", "note", "\u00fc\n\"x\""));
      assertThat(read.tensors().keySet()).containsExactly("bytes", "f32", "scalar", "none", "f16");
      assertThat(read.tensors().values())
          .allSatisfy(data -> {
            assertThat(data.memory().address() % data.dtype().byteSize()).isZero();
            assertThat(data.isContiguous()).isTrue();
          });
      assertThat(bytes(read, "bytes")).containsExactly(1, 2, 3);
      assertThat(bytes(read, "f32")).hasSize(24).startsWith(0, 1, 2, 3);
      assertThat(bytes(read, "scalar")).containsExactly(7, 0, 0, 0, 0, 0, 0, 0);
      assertThat(bytes(read, "none")).isEmpty();
      assertThat(get(read, "none").shape()).containsExactly(0, 3);
      assertThat(get(read, "scalar").shape()).isEmpty();
    }
  }

  @Test
  void dataBeginsAtAMultipleOf64() throws IOException {
    Path file = folder.resolve("a.safetensors");
    SafetensorsWriter.write(file, sample(), Map.of());
    long header =
        ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN).getLong();
    assertThat((8 + header) % 64).isZero();
  }

  @Test
  void aTransposedTensorIsWrittenDensely() {
    byte[] rows = {0, 1, 2, 3, 4, 5};
    TensorData transposed =
        new TensorData(
            DType.UINT8, new long[] {3, 2}, new long[] {1, 3}, MemorySegment.ofArray(rows));
    Path file = folder.resolve("a.safetensors");
    SafetensorsWriter.write(file, Map.of("t", transposed), Map.of());
    try (SafetensorsFile read = SafetensorsFile.open(file)) {
      assertThat(bytes(read, "t")).containsExactly(0, 3, 1, 4, 2, 5);
    }
  }

  @Test
  void aStridedTensorLongerThanAPieceIsWrittenWhole() {
    int n = 3 * TensorSource.CHUNK_BYTES / 4 + 5;
    byte[] pairs = new byte[2 * n];
    new Random(4).nextBytes(pairs);
    TensorData second =
        new TensorData(
            DType.UINT8, new long[] {2, n}, new long[] {1, 2}, MemorySegment.ofArray(pairs));
    Path file = folder.resolve("a.safetensors");
    SafetensorsWriter.write(file, Map.of("t", second), Map.of());
    try (SafetensorsFile read = SafetensorsFile.open(file)) {
      byte[] dense = bytes(read, "t");
      assertThat(dense).hasSize(2 * n);
      for (int i = 0; i < n; i++) {
        if (dense[i] != pairs[2 * i] || dense[n + i] != pairs[2 * i + 1]) {
          throw new AssertionError("element " + i);
        }
      }
    }
  }

  @Test
  void anUnalignedTensorOfAnotherWriterIsCopiedToAnAlignedPlace() throws IOException {
    // The header has 61 bytes, so that the float begins at an odd offset.
    String header = "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}     ";
    Path file = write(header, new byte[] {1, 2, 3, 4});
    assertThat((8 + header.length()) % 4).isNotZero();
    try (SafetensorsFile read = SafetensorsFile.open(file)) {
      assertThat(get(read, "a").memory().address() % 4).isZero();
      assertThat(bytes(read, "a")).containsExactly(1, 2, 3, 4);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[]",
        "{}x",
        "{\"a\":1}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}",
        "{\"a\":{\"dtype\":\"F31\",\"shape\":[1],\"data_offsets\":[0,4]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4,8]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[1,5]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":0}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387905],\"data_offsets\":[0,4]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,4]}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[0,9223372036854775807,3],\"data_offsets\":[0,0]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
            + "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
            + "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}",
        "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
            + "\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}",
        "{\"__metadata__\":{\"a\":1}}",
        "{\"__metadata__\":{\"a\":{\"b\":{\"c\":{\"d\":{}}}}}}",
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[[[[[[1]]]]]],\"data_offsets\":[0,4]}}",
        "{\"a\n\":0}",
        "not json"
      })
  void aHeaderThatLiesIsRefused(String header) throws IOException {
    assertRefused(write(header, new byte[4]));
  }

  @Test
  void aHeaderWithDataAfterItsEndIsRefused() throws IOException {
    Path file = write("{} {}", new byte[0]);
    assertThatThrownBy(() -> SafetensorsFile.open(file))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("the safetensors header has data after its end");
  }

  @Test
  void aHeaderThatIsNotUtf8IsRefused() throws IOException {
    byte[] json = "{\"__metadata__\":{\"a\":\"?\"}}".getBytes(StandardCharsets.UTF_8);
    json[21] = (byte) 0xff;
    assertRefused(write(json, new byte[0]));
  }

  @ParameterizedTest
  @ValueSource(longs = {-1, 0, 1, 1000, 100_000_001, Long.MAX_VALUE, Long.MIN_VALUE})
  void aLengthThatIsNotTheHeadersIsRefused(long length) throws IOException {
    ByteBuffer file = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN).putLong(length);
    assertRefused(Files.write(folder.resolve("bad"), file.array()));
  }

  @Test
  void everyCutIsRefused() throws IOException {
    Path file = folder.resolve("a.safetensors");
    SafetensorsWriter.write(file, sample(), Map.of("k", "v"));
    byte[] good = Files.readAllBytes(file);
    for (int length = 0; length < good.length; length++) {
      assertRefused(Files.write(folder.resolve("bad"), java.util.Arrays.copyOf(good, length)));
    }
  }

  @Test
  void aFlippedBitIsRefusedOrHarmless() throws IOException {
    Path file = folder.resolve("a.safetensors");
    SafetensorsWriter.write(file, sample(), Map.of("k", "v"));
    byte[] good = Files.readAllBytes(file);
    int opened = 0;
    for (int bit = 0; bit < good.length * 8; bit++) {
      byte[] bad = good.clone();
      bad[bit / 8] ^= (byte) (1 << bit % 8);
      try (SafetensorsFile read = SafetensorsFile.open(Files.write(folder.resolve("bad"), bad))) {
        read.tensors().values().forEach(t -> t.memory().toArray(ValueLayout.JAVA_BYTE));
        opened++;
      } catch (FileException e) {
        assertThat(e.getMessage()).doesNotContain("\n", "\r", "\u001b");
      }
    }
    // A flip in the data, in a name or in the metadata's text cannot be seen.
    assertThat(opened).isBetween(1, good.length * 8 / 2);
  }

  private static Map<String, TensorData> sample() {
    byte[] f32 = new byte[24];
    for (int i = 0; i < f32.length; i++) {
      f32[i] = (byte) i;
    }
    Map<String, TensorData> tensors = new LinkedHashMap<>();
    tensors.put("bytes", data(DType.UINT8, new byte[] {1, 2, 3}, 3));
    tensors.put("f32", data(DType.FLOAT32, f32, 2, 3));
    tensors.put("scalar", data(DType.INT64, new byte[] {7, 0, 0, 0, 0, 0, 0, 0}));
    tensors.put("none", data(DType.FLOAT32, new byte[0], 0, 3));
    tensors.put("f16", data(DType.FLOAT16, new byte[] {9, 8}, 1));
    return tensors;
  }

  private static TensorData data(DType dtype, byte[] bytes, long... shape) {
    return TensorData.contiguous(dtype, shape, MemorySegment.ofArray(bytes));
  }

  private static TensorData get(SafetensorsFile file, String name) {
    TensorData data = file.tensors().get(name);
    if (data == null) {
      throw new AssertionError("no " + name);
    }
    return data;
  }

  private static byte[] bytes(SafetensorsFile file, String name) {
    TensorData data = get(file, name);
    return data.memory().asSlice(0, data.byteSize()).toArray(ValueLayout.JAVA_BYTE);
  }

  private Path write(String header, byte[] data) throws IOException {
    return write(header.getBytes(StandardCharsets.UTF_8), data);
  }

  private Path write(byte[] header, byte[] data) throws IOException {
    ByteBuffer file =
        ByteBuffer.allocate(8 + header.length + data.length).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(header.length).put(header).put(data);
    return Files.write(folder.resolve("bad"), file.array());
  }

  private static void assertRefused(Path file) {
    assertThatThrownBy(() -> SafetensorsFile.open(file).close())
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(file.toString())
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n", "\r"));
  }
}
