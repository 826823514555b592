package org.relaydiffusion.diffusion.data.convert;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.image.Compression;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.image.PngWriter;
import org.relaydiffusion.torch.testing.FileNames;

class FolderAndZipSourceTest {
  @TempDir private Path folder;

  private static byte[] png() {
    return PngWriter.encode(Pixels.black(2, 2, 1), Compression.STORED);
  }

  private void put(String name, byte[] content) throws IOException {
    Path file = folder.resolve(name);
    Files.createDirectories(file.getParent());
    Files.write(file, content);
  }

  private void put(String name, String text) throws IOException {
    put(name, text.getBytes(StandardCharsets.UTF_8));
  }

  private static List<String> describe(ImageSource source, Path root) {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < source.size(); i++) {
      OptionalInt label = source.label(i);
      lines.add(
          root.relativize(Path.of(source.name(i)))
              + (label.isPresent() ? " " + label.getAsInt() : ""));
    }
    return lines;
  }

  private List<String> folder() {
    try (ImageSource source = ImageSources.open(folder, OptionalInt.empty())) {
      return describe(source, folder);
    }
  }

  private Path zip(String... names) throws IOException {
    Path file = folder.resolve("in.zip");
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(file))) {
      for (String name : names) {
        out.putNextEntry(new ZipEntry(name));
        out.write(name.endsWith("/") ? new byte[0] : png());
        out.closeEntry();
      }
    }
    return file;
  }

  @Test
  void foldersAreSortedFolderByFolderAndByCodePoints() throws IOException {
    FileNames.assumeUnicode();
    for (String name :
        List.of("a-b/x.png", "a/z.png", "a/Z.png", "a/y.PNG", "B/c/d.jpeg", "é.png")) {
      put(name, png());
    }
    put("a/notes.txt", "no picture");

    assertThat(folder())
        .containsExactly(
            "B/c/d.jpeg 1", "a/Z.png 2", "a/y.PNG 2", "a/z.png 2", "a-b/x.png 3", "é.png 0");
  }

  @Test
  void zipsAreSortedByTheWholeName() throws IOException {
    Path zip = zip("a-b/x.png", "a/", "a/z.png", "a/Z.png", "read.me");
    try (ImageSource source = ImageSources.open(zip, OptionalInt.empty())) {
      assertThat(describe(source, zip)).containsExactly("a-b/x.png 1", "a/Z.png 0", "a/z.png 0");
    }
  }

  @Test
  void picturesOfOneFolderHaveNoLabels() throws IOException {
    put("all/a.png", png());
    put("all/b/c.png", png());

    assertThat(folder()).containsExactly("all/a.png", "all/b/c.png");
  }

  @Test
  void labelsOfTheFileGoBeforeThoseOfFolders() throws IOException {
    put("x/a.png", png());
    put("y/b.png", png());
    put(
        "dataset.json",
        "{\"version\": {\"labels\": 1}, \"labels\": [[\"y/b.png\", 5]], \"z\": []}");

    assertThat(folder()).containsExactly("x/a.png", "y/b.png 5");
  }

  @ParameterizedTest
  @ValueSource(strings = {"{}", "{\"labels\": null}", "{\"labels\": []}"})
  void aFileThatSaysThereAreNoLabelsIsBelieved(String json) throws IOException {
    put("00000/a.png", png());
    put("00001/b.png", png());
    put("dataset.json", json);

    assertThat(folder()).containsExactly("00000/a.png", "00001/b.png");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '\0',
      value = {
        "[] | expected an object at line 1, but found '['",
        "{\"labels\": 3} | expected \"labels\" with a list or null at line 1, but found '3'",
        "{\"labels\": [3]} | expected label 0 as [name, class] at line 1, but found '3'",
        "{\"labels\": [[\"a\", [0, 1]]]} | expected label 0 as [name, class] at line 1",
        "{\"labels\": [[\"a\", -1]]} | expected classes from 0 to 2^31 - 1, but found -1",
        "{\"labels\": [[\"a\", 4294967296]]} | expected classes from 0 to 2^31 - 1",
        "{\"labels\": [[\"a\", 1, 2]]} | expected label 0 as [name, class]",
        "{\"labels\": [ | is no valid JSON",
        "{\"labels\": [[\"a\", | is no valid JSON",
      })
  void brokenLabelsAreRefused(String json, String message) throws IOException {
    put("a.png", png());
    put("dataset.json", json);

    assertThatThrownBy(this::folder)
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(folder.resolve("dataset.json") + ": ")
        .hasMessageMatching("[^\n]+")
        .hasMessageContaining(message);
  }

  @Test
  void namesOfAnArchiveCannotBreakTheMessage() throws IOException {
    // Escapes of a terminal by C1, and letters that run from right to left.
    Path zip = zip("a\nb\u009bc.png", "\u202egnp.evil.png");
    try (ImageSource source = ImageSources.open(zip, OptionalInt.empty())) {
      assertThat(source.name(0)).isEqualTo(zip + "/a\\u{a}b\\u{9b}c.png");
      assertThat(source.name(1)).isEqualTo(zip + "/\\u{202e}gnp.evil.png");
      assertThat(source.read(0)).isEqualTo(Pixels.black(2, 2, 1));
    }
  }

  @Test
  void theRulesForZipsAreThoseOfTraining() throws IOException {
    assertThatThrownBy(() -> ImageSources.open(zip("../../up.png"), OptionalInt.empty()))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("entry '../../up.png' points outside the archive");
    try (ImageSource source = ImageSources.open(zip("cat\\a.png"), OptionalInt.empty())) {
      assertThat(source.name(0)).endsWith("in.zip/cat/a.png");
    }
  }

  @Test
  void zipsThatAreDamagedAreRefused() throws IOException {
    Path zip = zip("a.png");
    byte[] whole = Files.readAllBytes(zip);
    Files.write(zip, java.util.Arrays.copyOf(whole, whole.length / 2));
    assertThatThrownBy(() -> ImageSources.open(zip, OptionalInt.empty()))
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(zip + ": is no zip file, or one that is cut off");
    byte[] flipped = whole.clone();
    flipped[60] ^= 4;
    Files.write(zip, flipped);
    try (ImageSource source = ImageSources.open(zip, OptionalInt.empty())) {
      assertThatThrownBy(() -> source.read(0))
          .isInstanceOf(FileException.class)
          .hasMessageStartingWith(zip + "/a.png: is damaged");
    }
    assertThatThrownBy(() -> ImageSources.open(zip("read.me"), OptionalInt.empty()))
        .hasMessage(zip + ": has no pictures among its 1 files");
  }

  @ParameterizedTest
  @ValueSource(strings = {"bmp", "gif", "tiff", "png"})
  void otherFormatsOfTheSamePictureAreTheSamePixels(String format) throws IOException {
    int type = format.equals("gif") ? BufferedImage.TYPE_BYTE_INDEXED : BufferedImage.TYPE_INT_RGB;
    BufferedImage image = new BufferedImage(9, 5, type);
    for (int i = 0; i < 45; i++) {
      // Colours of the palette that Java makes for an indexed picture.
      image.setRGB(i % 9, i / 9, 0x330000 * (i % 6) | 0x3300 * (i % 5) | 0x33 * (i % 4));
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    assertThat(ImageIO.write(image, format, out)).isTrue();
    put("a." + format, out.toByteArray());

    try (ImageSource source = ImageSources.open(folder, OptionalInt.empty())) {
      Pixels pixels = source.read(0);
      assertThat(pixels.channels()).isEqualTo(3);
      for (int i = 0; i < 45; i++) {
        int rgb =
            pixels.value(i % 9, i / 9, 0) << 16
                | pixels.value(i % 9, i / 9, 1) << 8
                | pixels.value(i % 9, i / 9, 2);
        assertThat(rgb).isEqualTo(image.getRGB(i % 9, i / 9) & 0xffffff);
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "RIFF0000WEBPVP8 | is a damaged WebP picture",
        "BM              | is a damaged BMP picture",
        "GIF89a          | is a damaged GIF picture",
        "P6 9 1 255 abc  | it claims 9 x 1 pixels",
        "text            | is not a picture of a format that is read"
      })
  void picturesThatCannotBeReadAreRefusedByName(String content, String message) throws IOException {
    put("a.webp", content);

    try (ImageSource source = ImageSources.open(folder, OptionalInt.empty())) {
      assertThatThrownBy(() -> source.read(0))
          .isInstanceOf(FileException.class)
          .hasMessageStartingWith(folder.resolve("a.webp") + ": ")
          .hasMessageMatching("[^\n]+")
          .hasMessageContaining(message);
    }
  }
}
