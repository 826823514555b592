// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;
import javax.imageio.ImageIO;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.FileException;

class PictureReaderTest {
  private static final Path NAME = Path.of("folder/picture");

  @TempDir Path folder;

  @Test
  void jpegPixelsAreThoseOfTheDecoder() throws IOException {
    BufferedImage image = image(BufferedImage.TYPE_INT_RGB, 40, 30);
    byte[] jpeg = encoded(image, "jpg");
    BufferedImage decoded = ImageIO.read(new ByteArrayInputStream(jpeg));
    Pixels pixels = PictureReader.decode(jpeg, NAME);
    assertThat(pixels.channels()).isEqualTo(3);
    for (int y = 0; y < 30; y++) {
      for (int x = 0; x < 40; x++) {
        assertThat(rgb(pixels, x, y)).isEqualTo(decoded.getRGB(x, y) & 0xffffff);
      }
    }
  }

  @Test
  void greyJpegStaysGrey() throws IOException {
    byte[] jpeg = encoded(image(BufferedImage.TYPE_BYTE_GRAY, 16, 16), "jpg");
    Pixels pixels = PictureReader.decode(jpeg, NAME);
    assertThat(pixels.channels()).isEqualTo(1);
    assertThat(pixels.value(0, 0, 0)).isLessThan(pixels.value(15, 15, 0));
  }

  @Test
  void palettesAreLookedUp() throws IOException {
    byte[] ramp = {0, 100, (byte) 200, (byte) 255};
    byte[] other = {5, 6, 7, 8};
    var palette = new IndexColorModel(2, 4, ramp, other, ramp);
    BufferedImage image = new BufferedImage(4, 1, BufferedImage.TYPE_BYTE_BINARY, palette);
    for (int x = 0; x < 4; x++) {
      image.getRaster().setSample(x, 0, 0, x);
    }
    Pixels pixels = PictureReader.decode(encoded(image, "png"), NAME);
    assertThat(pixels.channels()).isEqualTo(3);
    assertThat(rgb(pixels, 1, 0)).isEqualTo(0x640664);
    assertThat(rgb(pixels, 3, 0)).isEqualTo(0xff08ff);
  }

  @Test
  void greyOfFewBitsIsSpreadOverAllEight() throws IOException {
    // 4 x 1, 2 bits grey: 0, 1, 2, 3 in the one byte 0b00011011, after filter 0.
    byte[] png = png(4, 1, 2, 0, new byte[] {0, 0b00011011});
    Pixels pixels = PictureReader.decode(png, NAME);
    assertThat(pixels).isEqualTo(new Pixels(4, 1, 1, new byte[] {0, 85, (byte) 170, (byte) 255}));
  }

  @Test
  void aPaletteThatIsAGreyRampStaysAPalette() throws IOException {
    byte[] ramp = {0, (byte) 255};
    var palette = new IndexColorModel(1, 2, ramp, ramp, ramp);
    BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_BYTE_BINARY, palette);
    byte[] png = encoded(image, "png");
    assertThat(PictureReader.decode(png, NAME).channels()).isEqualTo(png[25] == 3 ? 3 : 1);
  }

  @Test
  void ofSixteenBitsTheHighByteIsTaken() throws IOException {
    ByteBuffer row = ByteBuffer.allocate(7);
    row.put((byte) 0).putShort((short) 0xc800).putShort((short) 0xc8ff).putShort((short) 0x00ff);
    Pixels grey = PictureReader.decode(png(3, 1, 16, 0, row.array()), NAME);
    assertThat(grey.data()).containsExactly((byte) 0xc8, (byte) 0xc8, (byte) 0);
    Pixels rgb = PictureReader.decode(png(1, 1, 16, 2, row.array()), NAME);
    assertThat(rgb.data()).containsExactly((byte) 0xc8, (byte) 0xc8, (byte) 0);
  }

  @Test
  void alphaIsLeftOut() throws IOException {
    byte[] opaque = {0, 1, 2, 3, (byte) 255, 4, 5, 6, (byte) 255};
    assertThat(PictureReader.decode(png(2, 1, 8, 6, opaque), NAME).data())
        .containsExactly(1, 2, 3, 4, 5, 6);
    byte[] glassy = opaque.clone();
    glassy[8] = (byte) 254;
    assertThat(PictureReader.decode(png(2, 1, 8, 6, glassy), NAME).data())
        .containsExactly(1, 2, 3, 4, 5, 6);
    byte[] greyAlpha = {0, 9, 0};
    assertThat(PictureReader.decode(png(1, 1, 8, 4, greyAlpha), NAME).data()).containsExactly(9);
  }

  @Test
  void missingEmptyAndForeignFilesAreRefusedByName() throws IOException {
    Path missing = folder.resolve("missing.png");
    assertThatThrownBy(() -> PictureReader.read(missing))
        .isInstanceOf(FileException.class)
        .hasMessage(missing + ": cannot be read: no such file or folder");
    Path empty = Files.createFile(folder.resolve("empty.png"));
    assertThatThrownBy(() -> PictureReader.read(empty))
        .isInstanceOf(FileException.class)
        .hasMessage(empty + ": is empty: expected an image");
    assertRefused("text of no use".getBytes(StandardCharsets.US_ASCII))
        .hasMessage(
            NAME
                + ": is not an image of a supported format (PNG, JPEG, WebP, TIFF, GIF, BMP,"
                + " PBM, PGM and PPM)");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "a.jxl  | FF 0A 00 00                         | a JPEG XL",
        "a.avif | 00 00 00 1C 66 74 79 70 61 76 69 66 | an AVIF",
        "a.heic | 00 00 00 1C 66 74 79 70 68 65 69 63 | a HEIC",
        "a.jp2  | 00 00 00 0C 6A 50 20 20             | a JPEG 2000",
        "a.psd  | 38 42 50 53                         | a Photoshop",
        "a.exr  | 76 2F 31 01                         | an OpenEXR",
        "a.tif  | 49 49 2B 00                         | a BigTIFF",
        "a.ico  | 00 00 01 00                         | an ICO",
        "a.pcx  | 0A 05 01 08                         | a PCX",
        "a.TGA  | 00 00 02 00 00                      | a TGA",
      })
  void otherFormatsAreRefusedByName(String name, String hex, String kind) {
    byte[] bytes = HexFormat.ofDelimiter(" ").parseHex(hex);
    if (name.endsWith("TGA")) {
      bytes[2] = 10;
    }
    assertThatThrownBy(() -> PictureReader.decode(bytes, Path.of(name)))
        .isInstanceOf(FileException.class)
        .hasMessage(
            name + ": is " + kind + " image, which is not supported: convert it to PNG" + " first");
  }

  @Test
  void sizesThatTheBytesCannotHoldAreRefusedBeforeAnythingIsAllocated() throws IOException {
    assertRefused(png(2_000_000_000, 2_000_000_000, 8, 2, new byte[1]))
        .hasMessageContaining("2000000000 x 2000000000 pixels, but the maximum is");
    assertRefused(png(10_000, 10_000, 8, 2, new byte[1]))
        .hasMessageContaining("it declares 10000 x 10000 pixels, more than its bytes can contain");
    byte[] jpeg = encoded(image(BufferedImage.TYPE_INT_RGB, 16, 16), "jpg");
    int frame = indexOf(jpeg, (byte) 0xff, (byte) 0xc0);
    ByteBuffer.wrap(jpeg).putShort(frame + 5, (short) 9000).putShort(frame + 7, (short) 9000);
    assertRefused(jpeg).hasMessageContaining("it declares 9000 x 9000 pixels");
  }

  @Test
  void pngFilesCutAnywhereAreRefused() {
    byte[] png = PngWriter.encode(Pictures.noise(9, 9, 3), Compression.FAST);
    for (int length = 1; length < png.length; length++) {
      assertRefused(Arrays.copyOf(png, length)).hasMessageMatching("(?s)[^\n]*");
    }
  }

  @Test
  void pngWithTooFewPixelsInsideWholeChunksIsRefused() throws IOException {
    assertRefused(png(4, 4, 8, 0, new byte[10])).hasMessageContaining("damaged PNG image");
  }

  @Test
  void jpegFilesThatAreCutAreRefused() throws IOException {
    byte[] jpeg = encoded(image(BufferedImage.TYPE_INT_RGB, 64, 64), "jpg");
    for (int length = 3; length < jpeg.length - 2; length += 7) {
      assertRefused(Arrays.copyOf(jpeg, length)).hasMessageMatching("[^\n]*");
    }
  }

  private static AbstractThrowableAssert<?, ? extends Throwable> assertRefused(byte[] bytes) {
    return assertThatThrownBy(() -> PictureReader.decode(bytes, NAME))
        .as("%s bytes", bytes.length)
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(NAME + ": ");
  }

  private static int rgb(Pixels pixels, int x, int y) {
    return pixels.value(x, y, 0) << 16 | pixels.value(x, y, 1) << 8 | pixels.value(x, y, 2);
  }

  private static int indexOf(byte[] bytes, byte first, byte second) {
    int i = 0;
    while (bytes[i] != first || bytes[i + 1] != second) {
      i++;
    }
    return i;
  }

  private static BufferedImage image(int type, int width, int height) {
    BufferedImage image = new BufferedImage(width, height, type);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        image.setRGB(x, y, (x * 255 / width) << 16 | (y * 255 / height) << 8 | (x + y));
      }
    }
    return image;
  }

  private static byte[] encoded(BufferedImage image, String format) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    assertThat(ImageIO.write(image, format, out)).isTrue();
    return out.toByteArray();
  }

  /** A PNG file with any header over any rows, its checksums right. */
  private static byte[] png(int width, int height, int bits, int colourType, byte[] rows)
      throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(PngFile.SIGNATURE);
    ByteBuffer header = ByteBuffer.allocate(13).putInt(width).putInt(height);
    chunk(out, "IHDR", header.put((byte) bits).put((byte) colourType).array());
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    try (var deflater = new DeflaterOutputStream(data)) {
      deflater.write(rows);
    }
    chunk(out, "IDAT", data.toByteArray());
    chunk(out, "IEND", new byte[0]);
    return out.toByteArray();
  }

  private static void chunk(ByteArrayOutputStream out, String type, byte[] data) {
    byte[] body =
        ByteBuffer.allocate(4 + data.length)
            .put(type.getBytes(StandardCharsets.US_ASCII))
            .put(data)
            .array();
    CRC32 crc = new CRC32();
    crc.update(body);
    out.writeBytes(ByteBuffer.allocate(4).putInt(data.length).array());
    out.writeBytes(body);
    out.writeBytes(ByteBuffer.allocate(4).putInt((int) crc.getValue()).array());
  }
}
