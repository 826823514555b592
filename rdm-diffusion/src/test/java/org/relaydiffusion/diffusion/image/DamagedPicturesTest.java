// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.FileException;

class DamagedPicturesTest {
  private static final Path NAME = Path.of("a");

  @ParameterizedTest
  @ValueSource(
      strings = {
        "webp/lossy-17x13-80.webp",
        "webp/lossless-17x13.webp",
        "webp/lossless-alpha-17x13.webp",
        "webp/palette-4.webp",
        "webp/animation.webp",
        "gif/palette.gif",
        "netpbm/p3.ppm",
        "netpbm/RGB.pnm",
        "tiff/P-tiff_lzw.tif",
        "tiff/PA.tif",
        "tiff/strips-jpeg.tif",
        "jpeg/cmyk.jpg",
      })
  void changedBytesAreReadOrRefusedInOneLine(String name) throws IOException {
    byte[] whole = Objects.requireNonNull(PillowPicturesTest.pictures().get(name));
    Random random = new Random(name.hashCode());
    int refused = 0;
    for (int round = 0; round < 400; round++) {
      byte[] changed = whole.clone();
      int most = Math.min(changed.length, round % 2 == 0 ? 64 : changed.length);
      for (int i = 0; i <= round % 3; i++) {
        changed[random.nextInt(most)] = (byte) random.nextInt(256);
      }
      try {
        PictureReader.size(changed, NAME);
        assertThat(PictureReader.decode(changed, NAME).width()).isPositive();
      } catch (FileException e) {
        assertThat(e.getMessage()).startsWith("a: ").doesNotContain("\n");
        refused++;
      }
    }
    assertThat(refused).isPositive();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "webp/lossy-17x13-80.webp",
        "webp/lossless-17x13.webp",
        "netpbm/RGB.pnm",
        "netpbm/L.pnm",
        "jpeg/cmyk.jpg",
      })
  void filesThatAreCutAreRefused(String name) throws IOException {
    byte[] whole = Objects.requireNonNull(PillowPicturesTest.pictures().get(name));
    for (int length = 1; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThatThrownBy(() -> PictureReader.decode(cut, NAME))
          .as("%s bytes", length)
          .isInstanceOf(FileException.class)
          .hasMessageMatching("a: [^\n]*");
    }
  }

  /** The frame alone is cut: the container says its new length. */
  @ParameterizedTest
  @ValueSource(strings = {"webp/lossy-33x50-80.webp", "webp/lossless-33x50.webp"})
  void framesThatAreCutAreRefused(String name) throws IOException {
    byte[] whole = Objects.requireNonNull(PillowPicturesTest.pictures().get(name));
    for (int length = 30; length < whole.length - 8; length += 11) {
      byte[] cut = Arrays.copyOf(whole, length);
      putInt(cut, 4, length - 8);
      putInt(cut, 16, length - 20);
      assertThatThrownBy(() -> PictureReader.decode(cut, NAME))
          .as("%s bytes", length)
          .isInstanceOf(FileException.class)
          .hasMessageStartingWith("a: is a damaged WebP image: ");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0xc9 | 8  | is a JPEG with arithmetic coding, which is not supported: convert it to PNG",
        "0xca | 8  | is a JPEG with arithmetic coding, which is not supported: convert it to PNG",
        "0xc3 | 8  | is a lossless or hierarchical JPEG, which is not supported: convert it to PNG",
        "0xc1 | 12 | is a 12-bit JPEG, which is not supported: convert it to PNG",
      })
  void kindsOfJpegThatAreNotReadAreNamed(String frame, int precision, String message)
      throws IOException {
    byte[] jpeg = Objects.requireNonNull(PillowPicturesTest.pictures().get("jpeg/ramp.jpg"));
    int at = 2;
    while (jpeg[at + 1] != (byte) 0xc0) {
      at += 2 + (jpeg[at + 2] & 0xff) * 256 + (jpeg[at + 3] & 0xff);
    }
    jpeg[at + 1] = (byte) (int) Integer.decode(frame);
    jpeg[at + 4] = (byte) precision;
    assertThatThrownBy(() -> PictureReader.decode(jpeg, NAME)).hasMessage("a: " + message);
  }

  @Test
  void framesOfAWebpHoldNoFrames() {
    int count = 100_000;
    int size = 8 + 16;
    ByteBuffer webp = ByteBuffer.allocate(12 + count * size).order(ByteOrder.LITTLE_ENDIAN);
    webp.put("RIFF".getBytes(StandardCharsets.ISO_8859_1)).putInt(webp.capacity() - 8);
    webp.put("WEBP".getBytes(StandardCharsets.ISO_8859_1));
    for (int i = 0; i < count; i++) {
      webp.put("ANMF".getBytes(StandardCharsets.ISO_8859_1));
      webp.putInt(webp.remaining() - 4).position(webp.position() + 16);
    }
    String message = "a: is a damaged WebP image: its first frame contains a nested animation";
    assertThatThrownBy(() -> PictureReader.decode(webp.array(), NAME)).hasMessage(message);
    assertThatThrownBy(() -> PictureReader.size(webp.array(), NAME)).hasMessage(message);
    byte[] canvas = webp.array().clone();
    System.arraycopy("VP8X".getBytes(StandardCharsets.ISO_8859_1), 0, canvas, 12 + size, 4);
    assertThatThrownBy(() -> PictureReader.decode(canvas, NAME)).hasMessage(message);
  }

  @Test
  void exceptionsBehindTheDecoderAreDamageToo() throws IOException {
    byte[] tiff = Objects.requireNonNull(PillowPicturesTest.pictures().get("tiff/PA.tif"));
    JavaDecoder decoder = new JavaDecoder(tiff, "tiff", NAME);
    int[] two = {1, 2};
    assertThatThrownBy(() -> decoder.decode(8, image -> Pixels.black(two[image.getWidth()], 1, 1)))
        .isInstanceOf(FileException.class)
        .hasMessage("a: is a damaged TIFF image: Index 17 out of bounds for length 2");
    assertThatThrownBy(() -> decoder.converted(() -> two[2]))
        .hasMessage("a: is a damaged TIFF image: Index 2 out of bounds for length 2");
    FileException named = new FileException(NAME, "is refused");
    assertThatThrownBy(() ->
            decoder.converted(() -> {
              throw named;
            }))
        .isSameAs(named);
  }

  @Test
  void aFewBytesOfWebpCannotClaimMoreThanTheBudget() throws IOException {
    Map<String, byte[]> pictures = PillowPicturesTest.pictures();
    byte[] lossless = Objects.requireNonNull(pictures.get("webp/palette-1.webp"));
    // 14 bits of width - 1, then of height - 1, behind the signature.
    putInt(lossless, 21, 0x0fffffff);
    assertThatThrownBy(() -> PictureReader.decode(lossless, NAME))
        .hasMessageContaining("has 16384 x 16384 pixels, but the maximum is");
    byte[] lossy = Objects.requireNonNull(pictures.get("webp/lossy-17x13-80.webp"));
    putInt(lossy, 26, 0x10001000);
    assertThatThrownBy(() -> PictureReader.decode(lossy, NAME))
        .hasMessageContaining("it declares 4096 x 4096 pixels, more than its bytes can contain");
  }

  private static void putInt(byte[] bytes, int at, int value) {
    for (int i = 0; i < 4; i++) {
      bytes[at + i] = (byte) (value >> (8 * i));
    }
  }
}
