// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.npy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.FileException;
import org.relaydiffusion.metrics.MomentsFile;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

class NpyFilesTest {
  private static final Path REFERENCE =
      Path.of(System.getProperty("rdm.fixtures"), "metrics/fid_pr/ref.npz");
  private static final List<DType> FLOATS = List.of(DType.FLOAT32, DType.FLOAT64);

  @TempDir private Path folder;
  private TensorScope scope = TensorScope.open();

  @BeforeEach
  void open() {
    scope.close();
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private static String header(String descr, String order, String shape) {
    return "{'descr': %s, 'fortran_order': %s, 'shape': %s, }".formatted(descr, order, shape);
  }

  private static byte[] npy(int version, String header, byte[] data) {
    byte[] text = (header + "\n").getBytes(StandardCharsets.ISO_8859_1);
    ByteBuffer out = ByteBuffer.allocate(12 + text.length + data.length);
    out.order(ByteOrder.LITTLE_ENDIAN).put(new byte[] {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'});
    out.put((byte) version).put((byte) 0);
    if (version == 1) {
      out.putShort((short) text.length);
    } else {
      out.putInt(text.length);
    }
    out.put(text).put(data);
    return Arrays.copyOf(out.array(), out.position());
  }

  private static byte[] doubles(double... values) {
    ByteBuffer out = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    Arrays.stream(values).forEach(out::putDouble);
    return out.array();
  }

  private Path file(byte[] content) {
    try {
      return Files.write(folder.resolve("a.npy"), content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path npz(int method, String name, byte[] member) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      ZipEntry entry = new ZipEntry(name);
      entry.setMethod(method);
      if (method == ZipEntry.STORED) {
        CRC32 crc = new CRC32();
        crc.update(member);
        entry.setSize(member.length);
        entry.setCrc(crc.getValue());
      }
      zip.putNextEntry(entry);
      zip.write(member);
    }
    return Files.write(folder.resolve("a.npz"), bytes.toByteArray());
  }

  private void refused(byte[] content, String... words) {
    Path path = file(content);
    assertThatThrownBy(
            () -> {
              try (NpyReader reader = NpyReader.open(path)) {
                reader.read(1);
              }
            })
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(path.toString())
        .hasMessageContainingAll(words);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 160, 1000})
  void anArrayIsReadInBlocksOfRows(int rows) {
    try (NpzFile file = NpzFile.open(REFERENCE);
        NpyReader whole = file.array("feat");
        NpyReader cut = file.array("feat").expect(FLOATS, -1, 32)) {
      assertThat(file.names()).containsExactly("feat", "s_feat");
      assertThat(cut.shape()).containsExactly(160, 32);
      List<Tensor> blocks = new ArrayList<>();
      while (cut.remainingRows() > 0) {
        blocks.add(cut.read(rows));
      }
      assertThat(blocks.getFirst().size(0)).isEqualTo(Math.min(rows, 160));
      assertThat(Shapes.cat(blocks, 0).toDoubles()).isEqualTo(whole.read(160).toDoubles());
    }
  }

  @ParameterizedTest
  @CsvSource({"1, '(2, 2)'", "2, '(2, 2)'", "3, '(2, 2)'", "1, '(4,)'"})
  void everyVersionIsRead(int version, String shape) {
    Path path = file(npy(version, header("'<f8'", "False", shape), doubles(1, 2, 3, 4)));
    try (NpyReader reader = NpyReader.open(path)) {
      assertThat(reader.read(100).toDoubles()).containsExactly(1, 2, 3, 4);
      assertThat(reader.remainingRows()).isZero();
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {ZipEntry.STORED, ZipEntry.DEFLATED})
  void storedAndDeflatedMembersAreRead(int method) throws IOException {
    byte[] member = npy(1, header("'<f8'", "False", "(2, 1)"), doubles(5, 6));
    try (NpzFile file = NpzFile.open(npz(method, "x.npy", member));
        NpyReader reader = file.array("x")) {
      assertThat(reader.read(2).toDoubles()).containsExactly(5, 6);
    }
  }

  @Test
  void whatIsNoArrayOfNumbersIsRefused() {
    byte[] four = doubles(1, 2, 3, 4);
    refused(npy(1, header("'<f16'", "False", "(4,)"), four), "'<f16'", "not plain numbers");
    refused(npy(1, header("'|O'", "False", "(4,)"), four), "'|O'", "not plain numbers");
    refused(npy(1, header("[('a', '<f8')]", "False", "(4,)"), four), "not a plain array");
    refused(npy(1, header("'<f8'", "1", "(2, 2)"), four), "not a plain array");
    refused(npy(1, header("'<f8'", "False", "4"), four), "not a plain array");
    refused(npy(1, header("'<f8'", "False", "(4)"), four), "the invalid shape (4)");
  }

  @Test
  void aSingleNumberIsRead() {
    Path path = file(npy(1, header("'<f8'", "False", "()"), doubles(7)));
    try (NpyReader reader = NpyReader.open(path)) {
      assertThat(reader.shape()).isEmpty();
      assertThat(reader.remainingRows()).isEqualTo(1);
      assertThat(reader.read(5).item()).isEqualTo(7);
      assertThat(reader.remainingRows()).isZero();
      assertThatThrownBy(() -> reader.expect(FLOATS, 1)).hasMessageContaining("float64[]");
    }
  }

  /** Longer than what is read ahead. */
  @Test
  void manyRowsAreSkipped() throws IOException {
    int count = 200_000;
    byte[] data = doubles(IntStream.range(0, count).asDoubleStream().toArray());
    byte[] member = npy(1, header("'<f8'", "False", "(%s,)".formatted(count)), data);
    for (int method : List.of(ZipEntry.STORED, ZipEntry.DEFLATED)) {
      try (NpzFile file = NpzFile.open(npz(method, "x.npy", member));
          NpyReader reader = file.array("x")) {
        assertThat(reader.read(1).toDoubles()).containsExactly(0);
        reader.skip(99_999);
        assertThat(reader.read(1).toDoubles()).containsExactly(100_000);
        reader.skip(50_000);
        assertThat(reader.read(1).toDoubles()).containsExactly(150_001);
        reader.skip(count - 150_003);
        assertThat(reader.read(9).toDoubles()).containsExactly(count - 1);
      }
    }
  }

  @Test
  void anArrayInFortranOrderThatIsTooLargeToTurnIsRefused() throws IOException {
    long rows = NpyReader.MOST_COLUMN_MAJOR / 16 + 1;
    Path path = folder.resolve("large.npy");
    byte[] start = npy(1, header("'<f8'", "True", "(%s, 2)".formatted(rows)), new byte[0]);
    try (RandomAccessFile sparse = new RandomAccessFile(path.toFile(), "rw")) {
      sparse.write(start);
      sparse.setLength(start.length + rows * 16);
    }
    try (NpyReader reader = NpyReader.open(path)) {
      assertThatThrownBy(() -> reader.read(1))
          .isInstanceOf(FileException.class)
          .hasMessageContaining("Fortran")
          .hasMessageContaining("np.ascontiguousarray");
    }
  }

  @Test
  void rowsThatAreSkippedAreNotChecked() throws IOException {
    byte[] member = npy(1, header("'<f8'", "False", "(4,)"), doubles(1, 2, 3, 4));
    for (int method : List.of(ZipEntry.STORED, ZipEntry.DEFLATED)) {
      try (NpzFile file = NpzFile.open(npz(method, "x.npy", member));
          NpyReader reader = file.array("x")) {
        reader.skip(2);
        assertThat(reader.read(1).toDoubles()).containsExactly(3);
        assertThat(reader.read(1).toDoubles()).containsExactly(4);
        assertThatThrownBy(() -> reader.skip(1)).isInstanceOf(IllegalArgumentException.class);
      }
    }
  }

  @Test
  void claimsThatTheFileDoesNotKeepAreRefused() {
    byte[] four = doubles(1, 2, 3, 4);
    refused(npy(1, header("'<f8'", "False", "(5,)"), four), "40 bytes", "32");
    refused(npy(1, header("'<f8'", "False", "(3,)"), four), "24 bytes", "32");
    refused(npy(1, header("'<f8'", "False", "(-4,)"), four), "not a plain array");
    refused(npy(1, header("'<f8'", "False", "(4 4)"), four), "shape");
    refused(npy(1, header("'<f8'", "False", "(,)"), four), "shape");
    refused(npy(1, header("'<f8'", "False", "(" + "1, ".repeat(65) + ")"), four), "65 axes");
    String huge = "(999999999999999999, 999999999999999999)";
    refused(npy(1, header("'<f8'", "False", huge), four), "too large for a file");
    refused(npy(1, header("'<f8'", "False", "(0, 999999999999999999)"), four), "0 bytes");
    refused(npy(1, header("'<f8'", "False", "(999999999999999999, 0)"), new byte[0]), "rows");
    refused(npy(1, header("'<f8'", "False", "(4,)") + "; import os", four), "not a plain array");
    refused(npy(1, header("'<f8'", "False", "(4,), 'descr': '<f8'"), four), "not a plain array");
    refused(npy(9, header("'<f8'", "False", "(4,)"), four), "version 9.0");
  }

  @Test
  void aFileCutAnywhereIsRefused() {
    byte[] whole = npy(1, header("'<f8'", "False", "(4,)"), doubles(1, 2, 3, 4));
    for (int length = 0; length < whole.length; length++) {
      refused(Arrays.copyOf(whole, length), "the array");
    }
    byte[] claim = npy(2, header("'<f8'", "False", "(4,)"), doubles(1, 2, 3, 4));
    claim[11] = 0x7f;
    refused(claim, "header of");
  }

  @Test
  void aDamagedZipIsRefused() throws IOException {
    byte[] good = Files.readAllBytes(REFERENCE);
    Path path = folder.resolve("a.npz");
    Files.write(path, Arrays.copyOf(good, good.length - 1));
    assertThatThrownBy(() -> NpzFile.open(path)).isInstanceOf(FileException.class);
    byte[] flipped = good.clone();
    flipped[20_000] ^= 1;
    Files.write(path, flipped);
    assertThatThrownBy(() -> MomentsFile.ofActivations(path, "feat"))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("array 'feat' has the checksum");
    assertThatThrownBy(() -> NpzFile.open(folder.resolve("none.npz")))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("no such file");
  }

  @Test
  void aMissingOrUnfitArrayIsNamedWithWhatIsThere() throws IOException {
    try (NpzFile file = NpzFile.open(REFERENCE);
        NpyReader reader = file.array("feat")) {
      assertThatThrownBy(() -> file.array("mu"))
          .hasMessage(REFERENCE + ": has no array 'mu', only: feat, s_feat");
      assertThatThrownBy(() -> reader.expect(FLOATS, -1, 2048))
          .hasMessageEndingWith(
              "array 'feat' is float64[160, 32], but float32 or float64[any, 2048] was expected");
    }
    byte[] wide = npy(1, header("'|u1'", "False", "(1, 9000)"), new byte[9000]);
    Path bytes = npz(ZipEntry.STORED, "feat.npy", wide);
    assertThatThrownBy(() -> MomentsFile.ofActivations(bytes, "feat"))
        .hasMessageContaining("uint8[1, 9000]");
    wide = npy(1, header("'<f4'", "False", "(1, 9000)"), new byte[36_000]);
    Path wideFile = npz(ZipEntry.STORED, "feat.npy", wide);
    assertThatThrownBy(() -> MomentsFile.ofActivations(wideFile, "feat"))
        .hasMessageContaining("9000 dimensions");
  }

  @Test
  void statisticsFilesGiveTheirMeanAndCovariance() throws IOException {
    Path path = folder.resolve("stats.npz");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(path))) {
      zip.putNextEntry(new ZipEntry("mu.npy"));
      zip.write(npy(1, header("'<f8'", "False", "(2,)"), doubles(1, 2)));
      zip.putNextEntry(new ZipEntry("sigma.npy"));
      zip.write(npy(1, header("'<f8'", "False", "(2, 2)"), doubles(2, 1, 1, 2)));
      zip.putNextEntry(new ZipEntry("skew.npy"));
      zip.write(npy(1, header("'<f8'", "False", "(2, 2)"), doubles(2, 1, 0, 2)));
    }
    try (var moments = MomentsFile.ofStatistics(path, "mu", "sigma")) {
      assertThat(moments.mean().toDoubles()).containsExactly(1, 2);
      assertThat(moments.covariance().toDoubles()).containsExactly(2, 1, 1, 2);
      assertThat(moments.count()).isEmpty();
    }
    assertThatThrownBy(() -> MomentsFile.ofStatistics(path, "mu", "skew"))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("array 'skew'")
        .hasMessageContaining("symmetric");
    assertThatThrownBy(() -> MomentsFile.ofStatistics(path, "sigma", "mu"))
        .hasMessageContaining("array 'sigma' is float64[2, 2]");
  }
}
