// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Random;
import java.util.zip.Deflater;
import java.util.zip.DeflaterOutputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.FileException;

class PngDecoderTest {
  private static final Path NAME = Path.of("a.png");

  @Test
  void picturesAreThoseOfTheJdksDecoder() throws IOException {
    Random random = new Random(1);
    for (int round = 0; round < 200; round++) {
      int channels = round % 2 == 0 ? 3 : 1;
      int width = 1 + random.nextInt(20);
      int height = 1 + random.nextInt(12);
      byte[] rows = randomRows(random, width * channels, height);
      byte[] png = png(width, height, channels, rows, 1 + random.nextInt(40), round % 10);
      assertThat(decodes(png)).isTrue();
      Pixels wanted = byTheJdk(png);
      assertThat(PictureReader.decode(png, NAME)).as("round %s", round).isEqualTo(wanted);
    }
  }

  @Test
  void theGuessIsPaethsForAllNeighbours() {
    for (int left = 0; left < 256; left++) {
      for (int top = 0; top < 256; top++) {
        for (int corner = 0; corner < 256; corner++) {
          if (RowUnfilter.nearest((byte) 0, left, top, corner) != paeth(left, top, corner)) {
            throw new AssertionError("%s, %s, %s".formatted(left, top, corner));
          }
        }
      }
    }
  }

  @Test
  void whatEncodersWriteComesBack() {
    for (int channels = 1; channels <= 3; channels += 2) {
      for (Compression compression : Compression.values()) {
        Pixels smooth = Pictures.smooth(64, 64, channels);
        byte[] png = PngWriter.encode(smooth, compression);
        assertThat(decodes(png)).isTrue();
        assertThat(PictureReader.decode(png, NAME)).isEqualTo(smooth);
      }
    }
  }

  @Test
  void unusualFilesAreLeftToTheJdk() throws IOException {
    byte[] rows = new byte[4 * 13];
    byte[] plain = png(4, 4, 3, rows, 1000, 0);
    assertThat(decodes(plain)).isTrue();
    assertThat(decodes(PngChunks.inserted(plain, "ABCD", new byte[1]))).isFalse();
    assertThat(decodes(PngChunks.inserted(plain, "tEXt", new byte[3]))).isTrue();
    assertThat(decodes(PngChunks.inserted(plain, "gAMA", new byte[4]))).isTrue();
    assertThat(decodes(PngChunks.inserted(plain, "tRNS", new byte[6]))).isTrue();
    // Gamma and the like are remarks: the stored values are what counts, for both decoders.
    byte[] remarked =
        PngChunks.inserted(plain, "gAMA", new byte[] {0, 0, (byte) 0xb1, (byte) 0x8f});
    assertThat(PictureReader.decode(remarked, NAME)).isEqualTo(byTheJdk(remarked));
    byte[] interlaced = plain.clone();
    interlaced[28] = 1;
    assertThat(decodes(PngChunks.withChecksums(interlaced))).isFalse();
  }

  @Test
  void aTransparentColourIsAColour() throws IOException {
    byte[] rows = randomRows(new Random(3), 12, 4);
    byte[] plain = png(4, 4, 3, rows, 1000, 0);
    assertThat(PictureReader.decode(PngChunks.inserted(plain, "tRNS", new byte[6]), NAME))
        .isEqualTo(PictureReader.decode(plain, NAME));
  }

  @Test
  void damageInsideWholeChunksIsNamed() throws IOException {
    byte[] rows = new byte[4 * 13];
    rows[26] = 5;
    assertThatThrownBy(() -> PictureReader.decode(png(4, 4, 3, rows, 1000, 0), NAME))
        .isInstanceOf(FileException.class)
        .hasMessage("a.png: is a damaged PNG image: row 2 has the unknown filter 5");
    assertThatThrownBy(() -> PictureReader.decode(png(4, 5, 3, rows, 1000, 0), NAME))
        .isInstanceOf(FileException.class)
        .hasMessage("a.png: is a damaged PNG image: its pixels end in row 4 of 5");
    byte[] packed = packed(new byte[4 * 13], 6);
    packed[0] ^= 0x55;
    byte[] png = file(4, 4, 3, packed, 1000);
    assertThatThrownBy(() -> PictureReader.decode(png, NAME))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("are not valid deflate data")
        .hasMessageMatching("[^\n]*");
  }

  @Test
  void flippedBitsNeverEscapeAsAnotherException() throws IOException {
    Random random = new Random(2);
    byte[] rows = randomRows(random, 3 * 9, 9);
    byte[] packed = packed(rows, 6);
    for (int round = 0; round < 500; round++) {
      byte[] flipped = packed.clone();
      flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
      byte[] png = file(9, 9, 3, flipped, 1000);
      try {
        assertThat(PictureReader.decode(png, NAME).width()).isEqualTo(9);
      } catch (FileException e) {
        assertThat(e).hasMessageStartingWith("a.png: is a damaged PNG image");
      }
    }
  }

  private static Pixels byTheJdk(byte[] png) throws IOException {
    return RasterPixels.plain(NAME, _ -> false).pixels(ImageIO.read(new ByteArrayInputStream(png)));
  }

  private static boolean decodes(byte[] png) {
    return PngDecoder.decodes(png, PngFile.parse(ByteBuffer.wrap(png), NAME));
  }

  private static int paeth(int left, int top, int corner) {
    int guess = left + top - corner;
    int toLeft = Math.abs(guess - left);
    int toTop = Math.abs(guess - top);
    int toCorner = Math.abs(guess - corner);
    if (toLeft <= toTop && toLeft <= toCorner) {
      return left;
    }
    return toTop <= toCorner ? top : corner;
  }

  private static byte[] randomRows(Random random, int row, int height) {
    byte[] rows = new byte[(row + 1) * height];
    random.nextBytes(rows);
    for (int y = 0; y < height; y++) {
      rows[y * (row + 1)] = (byte) random.nextInt(5);
    }
    return rows;
  }

  private static byte[] png(int width, int height, int channels, byte[] rows, int piece, int level)
      throws IOException {
    return file(width, height, channels, packed(rows, level), piece);
  }

  private static byte[] packed(byte[] rows, int level) throws IOException {
    ByteArrayOutputStream data = new ByteArrayOutputStream();
    Deflater deflater = new Deflater(level);
    try (var out = new DeflaterOutputStream(data, deflater)) {
      out.write(rows);
    } finally {
      deflater.end();
    }
    return data.toByteArray();
  }

  /** A file whose pixels come in several chunks of at most {@code piece} bytes. */
  private static byte[] file(int width, int height, int channels, byte[] packed, int piece) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(PngFile.SIGNATURE);
    ByteBuffer header = ByteBuffer.allocate(13).putInt(width).putInt(height);
    PngChunks.append(out, "IHDR", header.put((byte) 8).put((byte) (channels == 3 ? 2 : 0)).array());
    for (int at = 0; at < packed.length; at += piece) {
      byte[] part = new byte[Math.min(piece, packed.length - at)];
      System.arraycopy(packed, at, part, 0, part.length);
      PngChunks.append(out, "IDAT", part);
    }
    PngChunks.append(out, "IEND", new byte[0]);
    return out.toByteArray();
  }
}
