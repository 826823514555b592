// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.model.safetensors.SafetensorsFile;
import org.relaydiffusion.model.safetensors.SafetensorsWriter;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.TensorData;

/** Conversion of fixtures checkpoints/* keeps every bit, and says what it wrote. */
class CheckpointConverterTest {
  private static final Optional<DType> AS_IT_IS = Optional.empty();

  @TempDir Path folder;
  private final CheckpointConverter converter = new CheckpointConverter(_ -> {});

  static List<Path> files() {
    return Fixtures.official();
  }

  @ParameterizedTest
  @MethodSource("files")
  void aConvertedNetworkIsTheOneInTheSource(Path source) {
    Path target = folder.resolve("net.safetensors");
    ConversionReport report = converter.convert(source, target, Which.EMA, AS_IT_IS);
    assertThat(report.allEqual()).isTrue();
    try (Checkpoint from = Checkpoint.open(source);
        Checkpoint to = Checkpoint.open(target)) {
      NetworkRecord wanted = from.network(Which.EMA);
      NetworkRecord found = to.network();
      assertThat(to.format()).isEqualTo(CheckpointFormat.SAFETENSORS);
      assertThat(report.tensors())
          .extracting(ConversionReport.TensorCheck::name)
          .containsExactlyElementsOf(wanted.tensors().keySet());
      assertThat(found.className()).isEqualTo(wanted.className());
      assertThat(found.initKwargs()).isEqualTo(wanted.initKwargs());
      assertThat(found.parameterNames()).isEqualTo(wanted.parameterNames());
      assertThat(found.tensors().keySet()).containsExactlyElementsOf(wanted.tensors().keySet());
      wanted
          .state()
          .forEach((name, data) -> {
            TensorData written = Fixtures.get(found.state(), name);
            assertThat(written.shape()).isEqualTo(data.shape());
            assertThat(Fixtures.bytes(written)).as(name).isEqualTo(Fixtures.bytes(data));
          });
    }
  }

  @Test
  void aConvertedFileConvertsAgainToTheSameBytes() throws IOException {
    Path first = folder.resolve("1.safetensors");
    Path second = folder.resolve("2.safetensors");
    converter.convert(Fixtures.official().getLast(), first, Which.NET, AS_IT_IS);
    converter.convert(first, second, Which.NET, AS_IT_IS);
    assertThat(Files.readAllBytes(second)).isEqualTo(Files.readAllBytes(first));
  }

  @Test
  void aMissingNetworkIsNamedTogetherWithWhatIsThere() {
    Path source = Fixtures.official().getFirst();
    Path target = folder.resolve("net.safetensors");
    assertThatThrownBy(() -> converter.convert(source, target, Which.NET, AS_IT_IS))
        .isInstanceOf(FileException.class)
        .hasMessage(
            source
                + ": has no network 'net'; it has 'ema', 'loss_fn', 'augment_pipe',"
                + " 'dataset_kwargs'");
  }

  @Test
  void numbersAreRoundedToNearestTiesToEven() {
    // In bfloat16 the numbers from 1 on lie 2^-7 apart, in float16 2^-10.
    float bf = 0x1p-7f;
    float half = 0x1p-10f;
    assertThat(cast(DType.BFLOAT16, 1 + bf / 2, 1 + 3 * bf / 2, 1 + bf / 2 + 0x1p-23f, -0.0f))
        .containsExactly((short) 0x3f80, (short) 0x3f82, (short) 0x3f81, (short) 0x8000);
    assertThat(cast(DType.BFLOAT16, Float.NaN, Float.POSITIVE_INFINITY, Float.MIN_VALUE))
        .containsExactly((short) 0x7fc0, (short) 0x7f80, (short) 0);
    assertThat(cast(DType.FLOAT16, 1 + half / 2, 1 + 3 * half / 2, 65504, 0x1p-25f, 0x1.8p-24f))
        .containsExactly((short) 0x3c00, (short) 0x3c02, (short) 0x7bff, (short) 0, (short) 0x0002);
  }

  @Test
  void aNumberTooLargeForTheTypeIsRefused() {
    assertThatThrownBy(() -> cast(DType.FLOAT16, 1, 70000))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("tensor 'w' contains 70000.0, which is too large for float16");
    assertThat(folder.resolve("out.safetensors")).doesNotExist();
  }

  @Test
  void aTypeThatIsNotFloatingPointIsAUsageMistake() {
    Path target = folder.resolve("net.safetensors");
    Path source = Fixtures.official().getFirst();
    assertThatThrownBy(() -> converter.convert(source, target, Which.EMA, Optional.of(DType.INT64)))
        .isInstanceOf(OptionException.class);
    assertThatThrownBy(() -> converter.convert(source, source, Which.EMA, AS_IT_IS))
        .isInstanceOf(OptionException.class);
  }

  @Test
  void verifyFindsOneFlippedBit() throws IOException {
    Path source = Fixtures.official().getFirst();
    Path target = folder.resolve("net.safetensors");
    converter.convert(source, target, Which.EMA, AS_IT_IS);
    try (RandomAccessFile file = new RandomAccessFile(target.toFile(), "rw")) {
      file.seek(file.length() - 3);
      int last = file.read();
      file.seek(file.length() - 3);
      file.write(last ^ 1);
    }
    ConversionReport report = converter.verify(source, target, Which.EMA, AS_IT_IS);
    assertThat(report.allEqual()).isFalse();
    assertThat(report.tensors().stream().filter(t -> !t.equal()))
        .extracting(ConversionReport.TensorCheck::name)
        .containsExactly("model.out_conv.bias");
  }

  @Test
  void aTensorOfSeveralPiecesIsConvertedWhole() {
    int n = 700_001;
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = i;
    }
    short[] cast = cast(DType.BFLOAT16, values);
    assertThat(cast).hasSize(n);
    for (int i = 0; i < n; i++) {
      float back = Float.intBitsToFloat(cast[i] << 16);
      assertThat(Math.abs(back - i))
          .as("half a unit in the last place")
          .isLessThanOrEqualTo(i / 256f);
    }
  }

  /** Writes a network of one tensor, converts it, and reads the tensor. */
  private short[] cast(DType dtype, float... values) {
    ByteBuffer bytes = ByteBuffer.allocate(values.length * 4).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    Path source = folder.resolve("in.safetensors");
    Path target = folder.resolve("out.safetensors");
    Map<String, TensorData> tensors = new LinkedHashMap<>();
    tensors.put(
        "w",
        TensorData.contiguous(
            DType.FLOAT32, new long[] {values.length}, MemorySegment.ofArray(bytes.array())));
    SafetensorsWriter.write(
        source,
        tensors,
        Map.of(
            "rdm.class_name", "EDMPrecond",
            "rdm.init_kwargs", "{\"img_resolution\":8,\"img_channels\":3}"));
    ConversionReport report = converter.convert(source, target, Which.EMA, Optional.of(dtype));
    assertThat(report.allEqual()).isTrue();
    try (SafetensorsFile file = SafetensorsFile.open(target)) {
      TensorData data = Fixtures.get(file.tensors(), "w");
      assertThat(data.dtype()).isEqualTo(dtype);
      short[] found = new short[values.length];
      ByteBuffer.wrap(Fixtures.bytes(data))
          .order(ByteOrder.LITTLE_ENDIAN)
          .asShortBuffer()
          .get(found);
      return found;
    }
  }
}
