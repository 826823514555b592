// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.npy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.io.StoredZipWriter.Limits;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

class NpzWriterTest {
  private static final Path REFERENCE =
      Path.of(System.getProperty("rdm.fixtures"), "metrics/fid_pr/ref.npz");

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

  private static Tensor read(NpzFile file, String name) {
    try (NpyReader reader = file.array(name)) {
      return reader.read(Math.max(1, reader.remainingRows()));
    }
  }

  private static void copy(NpzWriter out, NpzFile from, String name, long block)
      throws IOException {
    try (NpyReader reader = from.array(name)) {
      out.array(
          name,
          reader.dtype(),
          reader.shape(),
          rows -> {
            while (reader.remainingRows() > 0) {
              rows.write(reader.read(block));
            }
          });
    }
  }

  /** metrics/fid_pr/ref.npz is np.savez's own. */
  @ParameterizedTest
  @ValueSource(longs = {1, 7, 160, 1000})
  void theBytesAreThoseOfNumpyWhateverTheBlocks(long block) {
    Path target = folder.resolve("copy.npz");
    try (NpzFile from = NpzFile.open(REFERENCE)) {
      NpzWriter.write(
          target,
          out -> {
            copy(out, from, "feat", block);
            copy(out, from, "s_feat", block);
          });
    }
    assertThat(target).hasSameBinaryContentAs(REFERENCE);
  }

  @Test
  void everyTypeComesBack() {
    Path target = folder.resolve("a.npz");
    NpzWriter.write(
        target,
        out -> {
          out.array("f8", Torch.tensor(new double[] {1.5, -0.0, Double.MIN_VALUE}, 3));
          out.array("f4", Torch.tensor(new float[] {1, 2, 3, 4, 5, 6}, 2, 3));
          out.array("u1", Torch.tensor(new byte[] {0, -1}, 1, 1, 2));
          out.array("i8", Torch.tensor(new long[] {Long.MIN_VALUE}, 1));
          out.array("none", Torch.zeros(DType.FLOAT64, 0, 4));
        });
    try (NpzFile file = NpzFile.open(target)) {
      assertThat(file.names()).containsExactly("f8", "f4", "u1", "i8", "none");
      assertThat(read(file, "f8").toDoubles()).containsExactly(1.5, -0.0, Double.MIN_VALUE);
      assertThat(read(file, "f4").shape()).containsExactly(2, 3);
      assertThat(read(file, "f4").toFloats()).containsExactly(1, 2, 3, 4, 5, 6);
      assertThat(read(file, "u1").toBytes()).containsExactly(0, -1);
      assertThat(read(file, "i8").toLongs()).containsExactly(Long.MIN_VALUE);
      assertThat(read(file, "none").shape()).containsExactly(0, 4);
    }
  }

  @Test
  void rowsOfOtherTypesAndOrdersAreConverted() {
    Path target = folder.resolve("a.npz");
    Tensor turned = Shapes.transpose(Torch.tensor(new float[] {1, 2, 3, 0.1f}, 2, 2), 0, 1);
    NpzWriter.write(
        target,
        out -> out.array("x", DType.FLOAT64, new long[] {2, 2}, rows -> rows.write(turned)));
    try (NpzFile file = NpzFile.open(target)) {
      assertThat(read(file, "x").toDoubles()).containsExactly(1, 3, 2, 0.1f);
    }
  }

  /** Lengths are those that numpy 2.4 writes; it leaves room for the first size to grow. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "1281167,2048; (1281167, 2048); 128",
        "5; (5,); 128",
        "1,2,3,4,5,6,7,8,9,10,11,12,10; (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 10); 128",
        "1,2,3,4,5,6,7,8,9,10,11,12,100; (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 100); 192"
      })
  void headersAreFilledUpAsNumpyDoes(String sizes, String shape, int length) {
    long[] numbers = Arrays.stream(sizes.split(",")).mapToLong(Long::parseLong).toArray();
    byte[] header = NpyHeader.bytes(DType.FLOAT64, numbers);
    String text = new String(header, 10, header.length - 10, StandardCharsets.ISO_8859_1);
    assertThat(header).hasSize(length);
    assertThat(text)
        .matches(
            Pattern.quote("{'descr': '<f8', 'fortran_order': False, 'shape': " + shape + ", }")
                + " +\n");
  }

  /**
   * Where an archive passes 4 GiB, sizes and offsets go to 64-bit records. A lower limit does the
   * same to a small one: to all of it, to the larger array's size, to what lies behind it.
   */
  @ParameterizedTest
  @ValueSource(longs = {0, 1000, 40_000, 41_100, 0xffff_ffffL})
  void largeArchivesAreReadByJavaAndHere(long limit) throws IOException {
    Path target = folder.resolve("large.npz");
    try (NpzFile from = NpzFile.open(REFERENCE)) {
      NpzWriter.write(
          target,
          out -> {
            copy(out, from, "feat", 50);
            copy(out, from, "s_feat", 50);
            out.array("small", Torch.ones(DType.UINT8, 1));
          },
          new Limits(limit, 0xffff));
      try (NpzFile file = NpzFile.open(target)) {
        for (String name : List.of("feat", "s_feat")) {
          assertThat(read(file, name).toDoubles()).isEqualTo(read(from, name).toDoubles());
        }
        assertThat(read(file, "small").toBytes()).containsExactly(1);
      }
    }
    try (ZipFile zip = new ZipFile(target.toFile())) {
      assertThat(zip.getEntry("feat.npy").getSize()).isEqualTo(128 + 160 * 32 * 8);
    }
  }

  @Test
  void aFileAppearsWholeOrNotAtAll() throws IOException {
    Path target = folder.resolve("a.npz");
    Files.writeString(target, "the old one");
    Tensor row = Torch.zeros(DType.FLOAT64, 1, 3);
    assertThatThrownBy(() ->
            NpzWriter.write(
                target,
                out -> out.array("x", DType.FLOAT64, new long[] {2, 3}, rows -> rows.write(row))))
        .isInstanceOf(RdmException.class)
        .hasMessage("array 'x' of shape [2, 3] has received only 1 rows");
    assertThatThrownBy(() ->
            NpzWriter.write(
                target,
                out -> out.array("x", DType.FLOAT64, new long[] {2, 4}, rows -> rows.write(row))))
        .hasMessage("array 'x' of shape [2, 4] expects 2 more rows, but received float64[1, 3]");
    assertThatThrownBy(() ->
            NpzWriter.write(
                target,
                out -> {
                  throw new IOException("No space left on device");
                }))
        .isInstanceOf(FileException.class)
        .hasMessage(target + ": cannot be written: No space left on device");
    assertThat(target).hasContent("the old one");
    assertThat(folder).isDirectoryNotContaining(file -> !file.equals(target));
  }
}
