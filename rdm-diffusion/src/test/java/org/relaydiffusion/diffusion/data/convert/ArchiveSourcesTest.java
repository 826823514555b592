// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.image.Pixels;

/** CIFAR-10's and MNIST's own files, with few pictures in them. */
class ArchiveSourcesTest {
  private static final int PICTURE = 3 * 32 * 32;

  @TempDir private Path folder;

  private ImageSource open(String name) {
    return ImageSources.open(folder.resolve(name), OptionalInt.empty(), Optional.empty());
  }

  private void gzip(String name, byte[] content) throws IOException {
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(folder.resolve(name)))) {
      out.write(content);
    }
  }

  private static byte[] data(int batch, int pictures) {
    byte[] data = new byte[pictures * PICTURE];
    new Random(batch).nextBytes(data);
    return data;
  }

  /** A batch as Python 2's cPickle wrote those of the archive, in protocol 2. */
  private static byte[] batch(byte[] data, int... labels) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    latin1(out, "\u0080\u0002}q\u0001(");
    shortText(out, "batch_label");
    latin1(out, "q\u0002");
    shortText(out, "training batch 1 of 5");
    latin1(out, "q\u0003");
    shortText(out, "labels");
    latin1(out, "q\u0004]q\u0005(");
    for (int label : labels) {
      latin1(out, "K");
      out.write(label);
    }
    latin1(out, "e");
    shortText(out, "data");
    latin1(out, "q\u0006cnumpy.core.multiarray\n_reconstruct\nq\u0007cnumpy\nndarray\nq\u0008");
    latin1(out, "K\u0000\u0085U\u0001b\u0087Rq\u0009(K\u0001");
    out.writeBytes(little(3).put((byte) 'M').putShort((short) labels.length).array());
    latin1(out, "M\u0000\u000c\u0086cnumpy\ndtype\nq\nU\u0002u1K\u0000K\u0001\u0087Rq\u000b(");
    latin1(out, "K\u0003U\u0001|NNNJ\u00ff\u00ff\u00ff\u00ffJ\u00ff\u00ff\u00ff\u00ffK\u0000tb");
    latin1(out, "\u0089");
    out.writeBytes(little(5).put((byte) 'T').putInt(data.length).array());
    out.writeBytes(data);
    latin1(out, "tb");
    shortText(out, "filenames");
    latin1(out, "]q\u000c(");
    shortText(out, "leptodactylus_pentadactylus_s_000004.png");
    latin1(out, "eu.");
    return out.toByteArray();
  }

  private static ByteBuffer little(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static void latin1(ByteArrayOutputStream out, String text) {
    out.writeBytes(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  private static void shortText(ByteArrayOutputStream out, String text) {
    out.write('U');
    out.write(text.length());
    latin1(out, text);
  }

  private static void tarEntry(ByteArrayOutputStream out, String name, byte[] content) {
    byte[] header = new byte[512];
    byte[] text = name.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(text, 0, header, 0, text.length);
    byte[] size = "%011o".formatted(content.length).getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(size, 0, header, 124, size.length);
    out.writeBytes(header);
    out.writeBytes(content);
    out.writeBytes(new byte[(512 - content.length % 512) % 512]);
  }

  /** The official archive's entries are in this order too. */
  private void cifar(byte[] third) throws IOException {
    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    tarEntry(tar, "cifar-10-batches-py/", new byte[0]);
    for (int batch : new int[] {4, 3, 2, 5, 1}) {
      tarEntry(
          tar,
          "cifar-10-batches-py/data_batch_" + batch,
          batch == 3 ? third : batch(data(batch, 2), batch, 9 - batch));
    }
    tarEntry(tar, "cifar-10-batches-py/test_batch", batch(data(6, 3), 7, 0, 9));
    tar.writeBytes(new byte[1024]);
    gzip("cifar-10-python.tar.gz", tar.toByteArray());
  }

  @Test
  void cifarsBatchesComeInTheOrderOfTheirNumbers() throws IOException {
    cifar(batch(data(3, 2), 3, 6));

    try (ImageSource source = open("cifar-10-python.tar.gz")) {
      assertThat(source.size()).isEqualTo(10);
      for (int i = 0; i < 10; i++) {
        int batch = i / 2 + 1;
        assertThat(source.labels().classOf(i)).hasValue(i % 2 == 0 ? batch : 9 - batch);
        Pixels pixels = source.read(i);
        byte[] data = data(batch, 2);
        for (int c = 0; c < 3; c++) {
          int at = i % 2 * PICTURE + c * 1024 + 5 * 32 + 7;
          assertThat((byte) pixels.value(7, 5, c)).isEqualTo(data[at]);
        }
      }
    }
  }

  @Test
  void theTestBatchIsTheOtherSplit() throws IOException {
    cifar(batch(data(3, 2), 3, 6));
    Path file = folder.resolve("cifar-10-python.tar.gz");

    try (ImageSource source =
        ImageSources.open(file, OptionalInt.empty(), Optional.of(Split.TEST))) {
      assertThat(source.size()).isEqualTo(3);
      assertThat(source.labels().classOf(0)).hasValue(7);
      assertThat(source.labels().classOf(2)).hasValue(9);
      assertThat((byte) source.read(2).value(0, 0, 0)).isEqualTo(data(6, 3)[2 * PICTURE]);
    }
    assertThatThrownBy(
            () -> ImageSources.open(folder, OptionalInt.empty(), Optional.of(Split.TEST)))
        .isInstanceOf(OptionException.class)
        .hasMessage("--split is only valid for CIFAR-10's archive: %s has no splits", folder);
  }

  /** Each would call, hide or overrun something. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "\u0080\u0002cos\nsystem\nU\u0004echoq\u0001\u0085R.",
        "\u0080\u0002cbuiltins\neval\n.",
        "\u0080\u0002}q\u0001.",
        "\u0080\u0004}.",
        "\u0080\u0002X\u00ff\u00ff\u00ff\u007f",
        "\u0080\u0002T\u00ff\u00ff\u00ff\u00ff",
        "\u0080\u0002h\u0001.",
        "\u0080\u0002((((.",
        "\u0080\u0002e.",
        "\u0080\u0002}(U\u0001au.",
        "\u0080\u0002}K\u0001K\u0002s.",
        "\u0080\u0002]]a\u0086R.",
        "\u0080\u0002P1\n.",
        ""
      })
  void otherPicklesAreRefusedInOneLine(String pickle) throws IOException {
    cifar(pickle.getBytes(StandardCharsets.ISO_8859_1));

    assertThatThrownBy(() -> open("cifar-10-python.tar.gz"))
        .isInstanceOf(FileException.class)
        .hasMessageMatching("[^\n]+")
        .hasMessageContaining("cifar-10-python.tar.gz: data_batch_3");
  }

  @Test
  void cifarBatchesThatDoNotFitAreRefused() throws IOException {
    cifar(batch(data(3, 2), 3));
    assertThatThrownBy(() -> open("cifar-10-python.tar.gz"))
        .hasMessageContaining("more bytes than its shape requires");
    cifar(batch(data(3, 1), 3, 4));
    assertThatThrownBy(() -> open("cifar-10-python.tar.gz"))
        .hasMessageContaining("fewer bytes than its shape requires");
    cifar(batch(data(3, 1), 11));
    assertThatThrownBy(() -> open("cifar-10-python.tar.gz"))
        .hasMessageContaining("label 0 is not from 0 to 9");
    gzip("cifar-10-python.tar.gz", new byte[1024]);
    assertThatThrownBy(() -> open("cifar-10-python.tar.gz"))
        .hasMessageContaining("has the batches [] of CIFAR-10");
  }

  private static byte[] idx(int magic, int count, List<Integer> sides, byte[] data) {
    ByteBuffer out = ByteBuffer.allocate(8 + 4 * sides.size() + data.length);
    out.putInt(magic).putInt(count);
    sides.forEach(out::putInt);
    return out.put(data).array();
  }

  private void mnist(int images, int labels) throws IOException {
    byte[] data = new byte[images * 28 * 28];
    new Random(4).nextBytes(data);
    byte[] classes = new byte[labels];
    for (int i = 0; i < labels; i++) {
      classes[i] = (byte) (i % 10);
    }
    gzip("train-images-idx3-ubyte.gz", idx(0x803, images, List.of(28, 28), data));
    gzip("train-labels-idx1-ubyte.gz", idx(0x801, labels, List.of(), classes));
  }

  @Test
  void mnistStandsInTheMiddleOf32Pixels() throws IOException {
    mnist(12, 12);
    byte[] data = new byte[12 * 28 * 28];
    new Random(4).nextBytes(data);

    try (ImageSource source = open("train-images-idx3-ubyte.gz")) {
      assertThat(source.size()).isEqualTo(12);
      assertThat(source.labels().classOf(11)).hasValue(1);
      Pixels pixels = source.read(11);
      assertThat(pixels.channels()).isEqualTo(1);
      assertThat(pixels.width()).isEqualTo(32);
      for (int i = 0; i < 1024; i++) {
        int x = i % 32 - 2;
        int y = i / 32 - 2;
        boolean inside = x >= 0 && x < 28 && y >= 0 && y < 28;
        byte expected = inside ? data[(11 * 28 + y) * 28 + x] : 0;
        assertThat((byte) pixels.value(i % 32, i / 32, 0)).isEqualTo(expected);
      }
    }
  }

  @Test
  void mnistFilesThatDoNotFitAreRefused() throws IOException {
    mnist(3, 4);
    assertThatThrownBy(() -> open("train-images-idx3-ubyte.gz"))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("train-labels-idx1-ubyte.gz: has 4 labels for the 3 images of");
    mnist(3, 3);
    gzip("train-images-idx3-ubyte.gz", idx(0x803, -1, List.of(28, 28), new byte[0]));
    assertThatThrownBy(() -> open("train-images-idx3-ubyte.gz"))
        .hasMessageContaining("is not an IDX file of MNIST");
    gzip("train-images-idx3-ubyte.gz", idx(0x803, 9, List.of(28, 28), new byte[100]));
    assertThatThrownBy(() -> open("train-images-idx3-ubyte.gz"))
        .hasMessageContaining("is truncated: 100 bytes instead of 7056");
    Files.delete(folder.resolve("train-labels-idx1-ubyte.gz"));
    mnist(3, 3);
    Files.delete(folder.resolve("train-labels-idx1-ubyte.gz"));
    assertThatThrownBy(() -> open("train-images-idx3-ubyte.gz"))
        .hasMessageContaining("train-labels-idx1-ubyte.gz: cannot be read: no such file");
  }

  @Test
  void archivesThatAreCutOrNoGzipAreRefused() throws IOException {
    cifar(batch(data(3, 2), 3, 6));
    Path file = folder.resolve("cifar-10-python.tar.gz");
    byte[] whole = Files.readAllBytes(file);
    for (int length = 0; length < whole.length; length += whole.length / 20) {
      Files.write(file, Arrays.copyOf(whole, length));
      assertThatThrownBy(() -> open("cifar-10-python.tar.gz"))
          .as("%s bytes", length)
          .isInstanceOf(FileException.class)
          .hasMessageMatching("[^\n]+");
    }
    Files.write(file, new byte[100]);
    assertThatThrownBy(() -> open("cifar-10-python.tar.gz"))
        .hasMessageContaining("is not a valid gzip file");
  }

  @Test
  void otherFilesAreNoSource() throws IOException {
    Files.write(folder.resolve("notes.txt"), new byte[1]);
    assertThatThrownBy(() -> open("notes.txt"))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("notes.txt: is not a supported source");
  }
}
