// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.image.Compression;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.image.PngWriter;

class LmdbSourceTest {
  @TempDir private Path folder;

  /** Picture i is grey with side 2 + i mod 30: small ones fit a page, large ones do not. */
  private static Pixels picture(int index) {
    Pixels pixels = Pixels.black(2 + index % 30, 2 + index % 30, 1);
    new Random(index).nextBytes(pixels.data());
    return pixels;
  }

  private static Map<String, byte[]> pictures(int count) {
    Map<String, byte[]> values = new TreeMap<>();
    for (int i = 0; i < count; i++) {
      values.put(
          String.format(Locale.ROOT, "key%06d", i),
          PngWriter.encode(picture(i), Compression.STORED));
    }
    return values;
  }

  private ImageSource open(byte[] file) throws IOException {
    Files.write(folder.resolve("data.mdb"), file);
    return ImageSources.open(folder, OptionalInt.empty(), Optional.empty());
  }

  @ParameterizedTest
  @CsvSource({"1", "2", "37", "2000"})
  void valuesComeInTheOrderOfTheirKeys(int count) throws IOException {
    try (ImageSource source = open(LmdbWriter.file(pictures(count)))) {
      assertThat(source.size()).isEqualTo(count);
      for (int i = 0; i < count; i += Math.max(1, count / 50)) {
        assertThat(source.read(i)).as("picture %s", i).isEqualTo(picture(i));
        assertThat(source.labels().has(i)).isFalse();
      }
      assertThat(source.name(0)).isEqualTo(folder.resolve("data.mdb") + " entry 0");
    }
  }

  /**
   * A file that liblmdb 0.9.24 wrote, in several transactions: pictures 0 to 10, of which 3 and 9
   * were deleted again. Picture i has side 4 + i, and byte j of it is (7 i + 13 j) mod 256.
   */
  @Test
  void aDatabaseOfTheLibraryItselfIsRead() throws IOException, URISyntaxException {
    Path file =
        Path.of(
            Objects.requireNonNull(LmdbSourceTest.class.getResource("liblmdb-0.9.24.mdb")).toURI());
    List<Integer> kept = List.of(0, 1, 2, 4, 5, 6, 7, 8, 10);
    try (ImageSource source = ImageSources.open(file, OptionalInt.empty(), Optional.empty())) {
      assertThat(source.size()).isEqualTo(kept.size());
      for (int k = 0; k < kept.size(); k++) {
        int i = kept.get(k);
        Pixels expected = Pixels.black(4 + i, 4 + i, 1);
        for (int j = 0; j < expected.data().length; j++) {
          expected.data()[j] = (byte) (7 * i + 13 * j);
        }
        assertThat(source.read(k)).isEqualTo(expected);
      }
    }
  }

  @Test
  void theFileItselfMayBeNamedAndTheWalkEndsWhenEnoughIsFound() {
    Path file = folder.resolve("data.mdb");
    LmdbWriter.write(file, pictures(100));
    try (ImageSource source = ImageSources.open(file, OptionalInt.of(5), Optional.empty())) {
      assertThat(source.size()).isEqualTo(5);
      assertThat(source.read(4)).isEqualTo(picture(4));
    }
  }

  @Test
  void theNewerOfTheTwoMetaPagesCounts() throws IOException {
    byte[] file = LmdbWriter.file(pictures(3));
    // The older page knows of no entries; made the newer one, it must win.
    little(file).putLong(144, 99);
    assertThatThrownBy(() -> open(file)).hasMessageContaining("the database is empty");
  }

  private static ByteBuffer little(byte[] file) {
    return ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The first page of a kind: its flags stand at byte 10. */
  private static int page(byte[] file, int flags) {
    int at = 2 * LmdbWriter.PAGE;
    while (little(file).getShort(at + 10) != flags) {
      at += LmdbWriter.PAGE;
    }
    return at;
  }

  private void assertRefused(byte[] file, String message) {
    assertThatThrownBy(() -> open(file).close())
        .isInstanceOf(FileException.class)
        .hasMessageMatching("[^\n]+")
        .hasMessageContaining("data.mdb: ")
        .hasMessageContaining(message);
  }

  private static void everyChild(byte[] file, int branch, int page) {
    int nodes = (little(file).getShort(branch + 12) - 16) / 2;
    assertThat(nodes).isGreaterThan(10);
    for (int i = 0; i < nodes; i++) {
      int node = branch + little(file).getShort(branch + 16 + 2 * i);
      little(file).putShort(node, (short) (page / LmdbWriter.PAGE));
    }
  }

  @Test
  void aTreeThatLeadsInCirclesIsRefused() {
    Map<String, byte[]> values = new TreeMap<>();
    for (int i = 0; i < 2000; i++) {
      values.put(String.format(Locale.ROOT, "key%06d", i), new byte[1]);
    }
    byte[] file = LmdbWriter.file(values);
    int leaf = page(file, 2);
    int first = page(file, 1);
    int second = first + LmdbWriter.PAGE;
    // An empty leaf, visited once for each child of each child: hundreds of times, without an end
    // if there were more levels.
    little(file).putShort(leaf + 12, (short) 16);
    everyChild(file, first, second);
    everyChild(file, second, leaf);
    little(file).putLong(LmdbWriter.PAGE + 88 + 40, first / LmdbWriter.PAGE);
    assertRefused(file, "its tree contains a cycle");
    // A page below itself, as deep as the file may claim.
    everyChild(file, first, first);
    little(file).putShort(LmdbWriter.PAGE + 88 + 6, (short) 32);
    assertRefused(file, "has the type 0x1 instead of 0x2");
    little(file).putShort(LmdbWriter.PAGE + 88 + 6, (short) 33);
    assertRefused(file, "its tree declares 33 levels");
  }

  @Test
  void numbersThatLeadOutOfTheFileAreRefused() {
    byte[] good = LmdbWriter.file(pictures(20));
    byte[] root = good.clone();
    little(root).putLong(LmdbWriter.PAGE + 88 + 40, Long.MAX_VALUE);
    assertRefused(root, "it refers to page 9223372036854775807 of");
    byte[] index = good.clone();
    little(index).putShort(page(index, 2) + 16, (short) 510);
    assertRefused(index, "has an entry at 510");
    byte[] lower = good.clone();
    little(lower).putShort(page(lower, 2) + 12, (short) 600);
    assertRefused(lower, "ends its index at 600");
    byte[] overflow = good.clone();
    little(overflow).putInt(page(overflow, 4) + 12, 0);
    assertRefused(overflow, "which is not an overflow page");
    byte[] length = good.clone();
    int leaf = page(length, 2);
    little(length).putShort(leaf + little(length).getShort(leaf + 16), (short) 60_000);
    assertRefused(length, "extends beyond page");
  }

  @Test
  void otherKindsOfFilesAndDatabasesAreRefusedByName() {
    byte[] good = LmdbWriter.file(pictures(3));
    byte[] magic = good.clone();
    magic[16] = 0;
    assertRefused(magic, "is not an LMDB file: wrong magic number");
    byte[] version = good.clone();
    version[20] = 2;
    assertRefused(version, "is an LMDB file of format 2, but only format 1 is supported");
    byte[] size = good.clone();
    little(size).putInt(40, 513);
    assertRefused(size, "its page size is 513");
    byte[] named = good.clone();
    int leaf = page(named, 2);
    named[leaf + little(named).getShort(leaf + 16) + 4] = 2;
    assertRefused(named, "nested databases");
    byte[] several = good.clone();
    several[LmdbWriter.PAGE + 88 + 4] = 4;
    assertRefused(several, "several values per key");
    assertRefused(LmdbWriter.file(Map.of()), "the database is empty");
  }

  @Test
  void aFileCutAnywhereIsRefusedOrReadsWhatIsThere() {
    byte[] file = LmdbWriter.file(pictures(20));
    for (int length = 1; length < file.length; length += 61) {
      byte[] cut = Arrays.copyOf(file, length);
      assertThatThrownBy(() -> open(cut)).as("%s bytes", length).isInstanceOf(FileException.class);
    }
  }

  /** Whatever is changed: an answer or an exception of ours, in bounded time. */
  @Test
  void changedBytesNeverCrashIt() throws IOException {
    byte[] good = LmdbWriter.file(pictures(60));
    Random random = new Random(1);
    int refused = 0;
    for (int round = 0; round < 400; round++) {
      byte[] bad = good.clone();
      for (int i = 0; i < 4; i++) {
        int page = random.nextInt(bad.length / LmdbWriter.PAGE) * LmdbWriter.PAGE;
        bad[page + random.nextInt(160)] = (byte) random.nextInt();
      }
      try (ImageSource source = open(bad)) {
        for (int i = 0; i < source.size(); i++) {
          source.read(i);
        }
      } catch (RdmException e) {
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(100);
  }
}
