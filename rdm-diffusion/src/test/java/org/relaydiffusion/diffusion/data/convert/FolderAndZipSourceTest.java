// SPDX-License-Identifier: Apache-2.0
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
import java.util.Optional;
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

  private static ImageSource open(Path path) {
    return ImageSources.open(path, OptionalInt.empty(), Optional.empty());
  }

  private static List<String> describe(ImageSource source, Path root) {
    List<String> lines = new ArrayList<>();
    for (int i = 0; i < source.size(); i++) {
      OptionalInt label = source.labels().classOf(i);
      lines.add(
          root.relativize(Path.of(source.name(i)))
              + (label.isPresent() ? " " + label.getAsInt() : ""));
    }
    return lines;
  }

  private List<String> folder() {
    try (ImageSource source = open(folder)) {
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
    try (ImageSource source = open(zip)) {
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

  @Test
  void labelsAreReadAsTrainingReadsThem() throws IOException {
    put("a.png", png());
    put("x/b.png", png());
    put("dataset.json", "{\"labels\": [[\"./a.png\", 0.0], [\"x\\\\b.png\", 3]]}");
    assertThat(folder()).containsExactly("a.png 0", "x/b.png 3");

    put("dataset.json", "{\"labels\": [[\"a.png\", [0.5, 1]], [\"x/b.png\", [0, -1]]]}");
    try (ImageSource source = open(folder)) {
      assertThat(source.labels().dim()).isEqualTo(2);
      assertThat(source.labels().label(0)).containsExactly(0.5f, 1);
    }
    put("dataset.json", "{\"labels\": [[\"a.png\", 1], [\"./a.png\", 1]]}");
    assertThatThrownBy(this::folder)
        .hasMessage(folder.resolve("dataset.json") + ": has two labels for './a.png'");
    put("dataset.json", "{\"labels\": [[\"a.jpg\", 0], [\"b.jpg\", 1]]}");
    assertThatThrownBy(this::folder)
        .isInstanceOf(FileException.class)
        .hasMessage(
            folder.resolve("dataset.json")
                + ": has 2 labels, but none refers to an existing image; the first is for 'a.jpg'");
    put("dataset.json", "{\"labels\": [");
    assertThatThrownBy(this::folder)
        .hasMessageStartingWith(folder.resolve("dataset.json") + ": is not valid JSON");
  }

  @Test
  void filesThatAreNoPicturesOfTheSetAreLeftOutAndCounted() throws IOException {
    put("photos/a.png", png());
    put("photos/._a.png", "AppleDouble");
    put("__MACOSX/photos/b.png", "AppleDouble");
    put(".ipynb_checkpoints/a-checkpoint.png", png());
    put("grid.png", png());
    put("photos/grid.png", png());
    try (ImageSource source = open(folder)) {
      assertThat(describe(source, folder)).containsExactly("photos/a.png", "photos/grid.png");
      assertThat(source.leftOut().count()).isEqualTo(4);
      assertThat(source.leftOut().text())
          .isEqualTo(
              "skipped: 2 files of macOS (._*, __MACOSX), 1 file in .ipynb_checkpoints, 1 file"
                  + " named grid.png (a contact sheet)");
    }
    Path zip = zip("photos/a.png", "__MACOSX/photos/._a.png", ".ipynb_checkpoints/c.png");
    try (ImageSource source = open(zip)) {
      assertThat(describe(source, zip)).containsExactly("photos/a.png");
      assertThat(source.leftOut().count()).isEqualTo(2);
    }
    assertThatThrownBy(() -> open(zip("grid.png", "notes.txt")))
        .hasMessageEndingWith(
            "has no images among its 2 files (skipped: 1 file named grid.png (a contact"
                + " sheet))");
  }

  @Test
  void linksToFoldersAreFollowedButNotInCircles() throws IOException {
    put("data/a.png", png());
    put("data/deep/b.png", png());
    Files.createSymbolicLink(folder.resolve("data/deep/back"), folder.resolve("data"));
    Files.createDirectory(folder.resolve("classes"));
    Files.createSymbolicLink(folder.resolve("classes/n01"), Path.of("../data"));
    Files.createSymbolicLink(folder.resolve("classes/n02"), Path.of("../data/deep"));
    Path link = Files.createSymbolicLink(folder.resolve("link"), Path.of("data"));

    try (ImageSource source = open(link)) {
      assertThat(describe(source, link)).containsExactly("a.png 0", "deep/b.png 1");
      assertThat(source.leftOut().text()).isEqualTo("skipped: 1 link to a parent folder");
    }
    Path classes = folder.resolve("classes");
    try (ImageSource source = open(classes)) {
      assertThat(describe(source, classes))
          .containsExactly("n01/a.png 0", "n01/deep/b.png 0", "n02/b.png 1", "n02/back/a.png 1");
      assertThat(source.read(3)).isEqualTo(Pixels.black(2, 2, 1));
    }
  }

  @Test
  void foldersThatLinkToOneAnotherEndInAnError() throws IOException {
    for (int i = 0; i < 9; i++) {
      put(i + "/a.png", png());
      for (int j = 0; j < 9; j++) {
        Files.createSymbolicLink(folder.resolve(i + "/" + j), folder.resolve("" + j));
      }
    }
    assertThatThrownBy(this::folder)
        .isInstanceOf(FileException.class)
        .hasMessageContaining("is reached through symbolic links in more than 1000 ways");
  }

  @Test
  void namesOfArchivesAreThoseThatPythonReads() throws IOException {
    // The field's cases: a colon, back slashes, code page 437, Latin-1, a name twice.
    Path zip = RawZip.write(folder, "2024-01-01_12:00:00.png", "2024-01-01_12:00:01.png");
    try (ImageSource source = open(zip)) {
      assertThat(describe(source, zip))
          .containsExactly("2024-01-01_12:00:00.png", "2024-01-01_12:00:01.png");
      assertThat(source.read(1)).isEqualTo(Pixels.black(2, 2, 1));
    }
    RawZip.write(folder, "cat\\a.png", "dog\\b.png");
    try (ImageSource source = open(zip)) {
      assertThat(describe(source, zip)).containsExactly("cat/a.png 0", "dog/b.png 1");
      assertThat(source.read(1)).isEqualTo(Pixels.black(2, 2, 1));
    }
    FileNames.assumeUnicode();
    RawZip.write(folder, "caf\u0082.png", "b.png", "na\u00efve.png");
    try (ImageSource source = open(zip)) {
      // 0x82 is e acute in code page 437, and 0xef, i with diaeresis in Latin-1, a set sign.
      assertThat(describe(source, zip)).containsExactly("b.png", "caf\u00e9.png", "na\u2229ve.png");
      assertThat(source.read(2)).isEqualTo(Pixels.black(2, 2, 1));
    }
    RawZip.write(folder, "a.png", "a.png");
    assertThatThrownBy(() -> open(zip))
        .isInstanceOf(FileException.class)
        .hasMessage(zip + ": is a zip with two entries 'a.png'");
  }

  /** A zip whose names are bytes, without the flag that they are UTF-8. */
  private static final class RawZip {
    static Path write(Path folder, String... names) throws IOException {
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      try (ZipOutputStream zip = new ZipOutputStream(out, StandardCharsets.ISO_8859_1)) {
        for (int i = 0; i < names.length; i++) {
          // Java writes no name twice.
          ZipEntry entry = new ZipEntry(names[i].equals("a.png") ? i + ".png" : names[i]);
          zip.putNextEntry(entry);
          zip.write(png());
          zip.closeEntry();
        }
      }
      String text = out.toString(StandardCharsets.ISO_8859_1);
      if (names[0].equals("a.png")) {
        text = text.replace("0.png", "a.png").replace("1.png", "a.png");
      }
      return Files.write(folder.resolve("in.zip"), text.getBytes(StandardCharsets.ISO_8859_1));
    }
  }

  @Test
  void namesOfAnArchiveCannotBreakTheMessage() throws IOException {
    // Escapes of a terminal by C1, and letters that run from right to left.
    Path zip = zip("a\nb\u009bc.png", "\u202egnp.evil.png");
    try (ImageSource source = open(zip)) {
      assertThat(source.name(0)).isEqualTo(zip + "/a\\u{a}b\\u{9b}c.png");
      assertThat(source.name(1)).isEqualTo(zip + "/\\u{202e}gnp.evil.png");
      assertThat(source.read(0)).isEqualTo(Pixels.black(2, 2, 1));
    }
  }

  @Test
  void theRulesForZipsAreThoseOfTraining() throws IOException {
    assertThatThrownBy(() -> open(zip("../../up.png")))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("entry '../../up.png' points outside the archive");
    try (ImageSource source = open(zip("cat\\a.png"))) {
      assertThat(source.name(0)).endsWith("in.zip/cat/a.png");
    }
  }

  @Test
  void zipsThatAreDamagedAreRefused() throws IOException {
    Path zip = zip("a.png");
    byte[] whole = Files.readAllBytes(zip);
    Files.write(zip, java.util.Arrays.copyOf(whole, whole.length / 2));
    assertThatThrownBy(() -> open(zip))
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(zip + ": is not a zip file, or is truncated");
    byte[] flipped = whole.clone();
    flipped[60] ^= 4;
    Files.write(zip, flipped);
    try (ImageSource source = open(zip)) {
      assertThatThrownBy(() -> source.read(0))
          .isInstanceOf(FileException.class)
          .hasMessageStartingWith(zip + "/a.png: is damaged");
    }
    assertThatThrownBy(() -> open(zip("read.me")))
        .hasMessage(zip + ": has no images among its 1 files");
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

    try (ImageSource source = open(folder)) {
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
        "RIFF0000WEBPVP8 | is a damaged WebP image",
        "BM              | is a damaged BMP image",
        "GIF89a          | is a damaged GIF image",
        "P6 9 1 255 abc  | it declares 9 x 1 pixels",
        "text            | is not an image of a supported format"
      })
  void picturesThatCannotBeReadAreRefusedByName(String content, String message) throws IOException {
    put("a.webp", content);

    try (ImageSource source = open(folder)) {
      assertThatThrownBy(() -> source.read(0))
          .isInstanceOf(FileException.class)
          .hasMessageStartingWith(folder.resolve("a.webp") + ": ")
          .hasMessageMatching("[^\n]+")
          .hasMessageContaining(message);
    }
  }
}
