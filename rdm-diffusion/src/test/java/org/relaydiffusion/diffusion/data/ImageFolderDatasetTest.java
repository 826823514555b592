// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.imageio.ImageIO;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.diffusion.image.Compression;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.image.PngWriter;
import org.relaydiffusion.torch.testing.FileNames;

class ImageFolderDatasetTest {
  @TempDir Path folder;

  @Test
  void namesAreSortedByCodePointsAndFoldersAreEntered() throws IOException {
    FileNames.assumeUnicode();
    // The last but one is above the last in UTF-16 units, as its first unit is a surrogate.
    for (String name :
        new String[] {"b.png", "a/z.PNG", "a.png", "\uff21.png", "\ud83d\ude00.png"}) {
      picture(name, 8, 8, 1, name.length());
    }
    try (var data = open()) {
      assertThat(data.size()).isEqualTo(5);
      assertThat(data.file(0)).isEqualTo(folder.resolve("a.png"));
      assertThat(data.file(1)).isEqualTo(folder.resolve("a/z.PNG"));
      assertThat(data.file(2)).isEqualTo(folder.resolve("b.png"));
      assertThat(data.file(3)).isEqualTo(folder.resolve("\uff21.png"));
      assertThat(data.file(4)).isEqualTo(folder.resolve("\ud83d\ude00.png"));
    }
  }

  @Test
  void jpegPicturesAreReadAndOtherFilesAreNot() throws IOException {
    picture("a.png", 16, 16, 3, 1);
    BufferedImage image = new BufferedImage(16, 16, BufferedImage.TYPE_INT_RGB);
    ImageIO.write(image, "jpg", folder.resolve("b.JPG").toFile());
    Files.writeString(folder.resolve("notes.txt"), "no picture");
    Files.createDirectory(folder.resolve("folder.png"));
    try (var data = open()) {
      assertThat(data.size()).isEqualTo(2);
      assertThat(data.image(1)).containsOnly(0);
    }
  }

  @Test
  void theCallersArrayIsItsOwnEvenOutOfTheCache() throws IOException {
    picture("a.png", 8, 8, 3, 5);
    try (var data = ImageFolderDataset.open(folder, DatasetOptions.DEFAULT.withCache())) {
      byte[] first = data.image(0);
      byte[] wanted = first.clone();
      Arrays.fill(first, (byte) 0);
      assertThat(data.image(0)).isEqualTo(wanted);
    }
  }

  @Test
  void theCacheKeepsWhatFitsAndGoesOn() {
    ImageCache cache = new ImageCache(3, 20);
    int[] decoded = new int[3];
    for (int round = 0; round < 2; round++) {
      for (int i = 0; i < 3; i++) {
        byte[] image =
            cache.get(
                i,
                index -> {
                  decoded[index]++;
                  return new byte[] {(byte) index, 0, 0, 0, 0, 0, 0, 0, 0, 0};
                });
        assertThat(image[0]).isEqualTo((byte) i);
      }
    }
    assertThat(decoded).containsExactly(1, 1, 2);
  }

  @Test
  void aFolderIsNamedAsTheReferenceNamesIt() throws IOException {
    picture("some.set/a.png", 8, 8, 1, 0);
    Path inner = folder.resolve("some.set");
    try (var data = ImageFolderDataset.open(inner.resolve("."), DatasetOptions.DEFAULT)) {
      assertThat(data.name()).isEqualTo("some");
    }
  }

  @Test
  void theFingerprintIsThatOfTheFirstNamesAndFiles() throws IOException {
    picture("a.png", 8, 8, 1, 1);
    picture("b.png", 8, 8, 1, 2);
    String one = fingerprint(1);
    String two = fingerprint(2);
    assertThat(one).matches("[0-9a-f]{64}").isNotEqualTo(two);
    picture("c.png", 8, 8, 1, 3);
    assertThat(fingerprint(2)).isEqualTo(two);
    Path changed = folder.resolve("b.png");
    FileTime time = Files.getLastModifiedTime(changed);
    Files.setLastModifiedTime(changed, FileTime.fromMillis(time.toMillis() + 1));
    assertThat(fingerprint(2)).isNotEqualTo(two);
    assertThat(fingerprint(1)).isEqualTo(one);
    Files.setLastModifiedTime(changed, time);
    assertThat(fingerprint(2)).isEqualTo(two);
    Files.move(changed, folder.resolve("aa.png"));
    assertThat(fingerprint(2)).isNotEqualTo(two);
  }

  private String fingerprint(int items) {
    try (var data = open()) {
      return data.fingerprint(items);
    }
  }

  @Test
  void theContentsAreTheSameWhereverTheFilesLieAndSayWhatIsOther() throws IOException {
    picture("one/a.png", 8, 8, 1, 1);
    picture("one/b.png", 8, 8, 1, 2);
    DataFingerprint one = contents("one");
    picture("two/a.png", 8, 8, 1, 1);
    picture("two/b.png", 8, 8, 1, 2);
    Files.setLastModifiedTime(folder.resolve("two/b.png"), FileTime.fromMillis(1));
    assertThat(contents("two")).isEqualTo(one);
    assertThat(contents("two").difference(one)).isEmpty();

    picture("two/b.png", 8, 8, 1, 3);
    assertThat(contents("two").difference(one)).isEqualTo("other images");
    picture("two/b.png", 8, 8, 1, 2);
    Files.writeString(
        folder.resolve("two/dataset.json"), "{\"labels\": [[\"a.png\", 1], [\"b.png\", 0]]}");
    assertThat(contents("two").difference(one)).isEqualTo("other labels");
    Files.delete(folder.resolve("two/dataset.json"));
    Files.move(folder.resolve("two/b.png"), folder.resolve("two/c.png"));
    assertThat(contents("two").difference(one)).isEqualTo("other file names");
    picture("two/d.png", 8, 8, 1, 2);
    assertThat(contents("two").difference(one)).isEqualTo("3 images instead of 2");
  }

  private DataFingerprint contents(String inner) {
    DatasetOptions labelled = DatasetOptions.DEFAULT.withLabels();
    try (var data = ImageFolderDataset.open(folder.resolve(inner), labelled)) {
      return data.contents();
    }
  }

  @Test
  void theFingerprintOfAZipIsThatOfItsBytes() throws IOException {
    Set<String> seen = new HashSet<>();
    for (byte value : new byte[] {1, 2, 1}) {
      Path file = folder.resolve("set.zip");
      try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
        Pixels pixels = Pixels.black(8, 8, 1);
        pixels.data()[9] = value;
        zip.putNextEntry(new ZipEntry("a.png"));
        zip.write(PngWriter.encode(pixels, Compression.STORED));
      }
      try (var data = ImageFolderDataset.open(file, DatasetOptions.DEFAULT)) {
        seen.add(data.fingerprint(1));
      }
    }
    // The third archive is made later than the first, but of the same bytes.
    assertThat(seen).hasSize(2);
  }

  @Test
  void picturesUnlikeTheFirstAreRefusedByName() throws IOException {
    picture("a.png", 16, 16, 3, 0);
    picture("b.png", 32, 32, 3, 0);
    picture("c.png", 16, 16, 1, 0);
    Files.write(folder.resolve("d.png"), new byte[0]);
    Files.writeString(folder.resolve("e.png"), "text");
    byte[] png = Files.readAllBytes(folder.resolve("a.png"));
    Files.write(folder.resolve("f.png"), Arrays.copyOf(png, 20));
    // A header alone that claims a picture larger than any memory.
    byte[] vast = png.clone();
    Arrays.fill(vast, 16, 24, (byte) 0x7f);
    Files.write(folder.resolve("g.png"), vast);
    Files.createSymbolicLink(folder.resolve("h.png"), folder.resolve("gone"));
    try (var data = open()) {
      assertUnreadable(data, 1)
          .hasMessageContaining("has 32 x 32 pixels, but the first image of the set has 16 x 16");
      assertUnreadable(data, 2)
          .hasMessageContaining("is grey, but the first image of the set is" + " RGB");
      assertUnreadable(data, 3).hasMessageContaining("is empty");
      assertUnreadable(data, 4).hasMessageContaining("is not an image of a supported format");
      assertUnreadable(data, 5).hasMessageContaining("is truncated");
      assertUnreadable(data, 6).hasMessageContaining("has 2139062143 x 2139062143 pixels");
      assertUnreadable(data, 7).hasMessageContaining("no such file");
    }
  }

  /** Which sides a network takes is its own business, and an evaluation has none. */
  @ParameterizedTest
  @ValueSource(ints = {1, 7, 24, 96})
  void theSideMayBeAnyNumber(int side) throws IOException {
    picture("a.png", side, side, 3, 9);
    try (var data = open()) {
      assertThat(data.resolution()).isEqualTo(side);
      assertThat(data.image(0)).hasSize(3 * side * side).containsOnly(9);
    }
  }

  @Test
  void onlySquaresAreTrainedOn() throws IOException {
    picture("a.png", 16, 8, 3, 0);
    assertRefused()
        .hasMessageContaining("a.png: has 16 x 8 pixels, but images of a data set must be square");
    picture("a.png", 24, 24, 3, 0);
    byte[] png = Files.readAllBytes(folder.resolve("a.png"));
    Arrays.fill(png, 16, 24, (byte) 0);
    png[17] = 1;
    png[21] = 1;
    Files.write(folder.resolve("a.png"), png);
    assertRefused().hasMessageContaining("has 65536 x 65536 pixels");
    Arrays.fill(png, 16, 24, (byte) 0);
    Files.write(folder.resolve("a.png"), png);
    assertRefused().hasMessageContaining("is damaged: it declares 0 x 0 pixels");
  }

  @Test
  void picturesOfOtherKindsAreNotLeftOutInSilence() throws IOException {
    picture("a.png", 16, 16, 3, 0);
    Files.createFile(folder.resolve("b.webp"));
    try (var data = open()) {
      assertThat(data.size()).isEqualTo(2);
      assertUnreadable(data, 1).hasMessageContaining("is empty");
    }
  }

  @Test
  void missingEmptyAndForeignPathsAreRefused() throws IOException {
    assertRefused().hasMessageContaining("contains no images");
    Path missing = folder.resolve("missing.zip");
    assertThatThrownBy(() -> ImageFolderDataset.open(missing, DatasetOptions.DEFAULT))
        .isInstanceOf(FileException.class)
        .hasMessage(missing + ": cannot be read: no such file or folder");
    Path text = Files.writeString(folder.resolve("text.zip"), "no zip");
    assertThatThrownBy(() -> ImageFolderDataset.open(text, DatasetOptions.DEFAULT))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("is not a zip file");
    Path other = Files.writeString(folder.resolve("text.txt"), "no zip");
    assertThatThrownBy(() -> ImageFolderDataset.open(other, DatasetOptions.DEFAULT))
        .isInstanceOf(FileException.class)
        .hasMessage(other + ": is neither a folder nor a zip file of images");
  }

  @Test
  void labelsAreReadFromAFolderToo() throws IOException {
    picture("a.png", 8, 8, 3, 0);
    try (var data = ImageFolderDataset.open(folder, DatasetOptions.DEFAULT.withLabels())) {
      assertThat(data.hasLabels()).isFalse();
      assertThat(data.label(0)).isEmpty();
    }
    Files.writeString(folder.resolve("dataset.json"), "{\"labels\": [[\"a.png\", 1]]}");
    try (var data = ImageFolderDataset.open(folder, DatasetOptions.DEFAULT.withLabels())) {
      assertThat(data.labelDim()).isEqualTo(2);
      assertThat(data.label(0)).containsExactly(0, 1);
    }
    Files.writeString(folder.resolve("dataset.json"), "{\"labels\": [[\"b.png\", 1]]}");
    assertThatThrownBy(() -> ImageFolderDataset.open(folder, DatasetOptions.DEFAULT.withLabels()))
        .isInstanceOf(FileException.class)
        .hasMessage(
            folder.resolve("dataset.json")
                + ": has 1 label, but none refers to an existing image; the first is for 'b.png'");
  }

  @Test
  void aDatasetThatIsRefusedLeavesNoFileOpen() throws IOException {
    Path zip = Fixture.of("dataset/convert").file("center_crop.zip");
    for (int i = 0; i < 20; i++) {
      assertThatThrownBy(
              () -> ImageFolderDataset.open(zip, DatasetOptions.DEFAULT.withResolution(16)))
          .hasMessageContaining("the requested resolution is 16");
    }
    Path maps = Path.of("/proc/self/maps");
    if (Files.isReadable(maps)) {
      assertThat(Files.readString(maps)).doesNotContain("center_crop.zip");
    }
  }

  @Test
  void nonsenseOptionsAreRefused() {
    assertThatThrownBy(() -> DatasetOptions.DEFAULT.withAtMost(0, 0))
        .isInstanceOf(OptionException.class);
    assertThatThrownBy(() -> DatasetOptions.DEFAULT.withResolution(0))
        .isInstanceOf(OptionException.class);
  }

  private ImageFolderDataset open() {
    return ImageFolderDataset.open(folder, DatasetOptions.DEFAULT);
  }

  private AbstractThrowableAssert<?, ? extends Throwable> assertRefused() {
    return assertThatThrownBy(() -> open().close())
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(folder.toString())
        .hasMessageMatching("[^\n]*");
  }

  private static AbstractThrowableAssert<?, ? extends Throwable> assertUnreadable(
      ImageFolderDataset data, int index) {
    return assertThatThrownBy(() -> data.image(index))
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(data.file(index) + ": ")
        .hasMessageMatching("[^\n]*");
  }

  private void picture(String name, int width, int height, int channels, int value)
      throws IOException {
    Pixels pixels = Pixels.black(width, height, channels);
    Arrays.fill(pixels.data(), (byte) value);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    PngWriter.write(pixels, Compression.FAST, out);
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.write(file, out.toByteArray());
  }
}
