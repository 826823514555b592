// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.FileException;

class PictureBudgetTest {
  private static final Path NAME = Path.of("folder/picture");
  private static final Path CORPUS = Path.of("../tests/corpus/picture");

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "fuzz-float32-black.tif          | has float samples",
        "fuzz-float64-divide-by-zero.tif | has float samples",
        "fuzz-uint32-white-is-black.tif  | has samples of 32 bits",
        "fuzz-strip-oom.tif              | has samples of 30 bits",
        "fuzz-17kB-takes-800MB.png       | declares 11585 x 11585 pixels, more than its bytes can"
            + " contain",
      })
  void fieldCasesAreRefusedByName(String name, String message) throws IOException {
    byte[] bytes = Files.readAllBytes(CORPUS.resolve(name));
    assertThatThrownBy(() -> PictureReader.decode(bytes, NAME))
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(NAME + ": ")
        .hasMessageContaining(message);
  }

  @ParameterizedTest
  @CsvSource({
    // ImageNet's largest, 100 megapixels of a camera, 2 bits a pixel and less.
    "6000, 4000, 2000000",
    "11648, 8736, 10000000",
    "8192, 16384, 600000",
    // 16.8 megapixels may be all of one colour.
    "4096, 4096, 20000",
  })
  void largePhotographsPass(int width, int height, long bytes) {
    assertThatCode(() -> PictureBudget.checkPixels(width, height, bytes, Long.MAX_VALUE, NAME))
        .doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0          | 5          | 100     | it declares 0 x 5 pixels",
        "4294967295 | 4294967295 | 100     | but the maximum is 134217728",
        "11586      | 11586      | 1000000000 | but the maximum is 134217728",
        "4097       | 4096       | 65551   | at least one byte per 256",
      })
  void sizesBeyondTheBudgetAreRefused(long width, long height, long bytes, String message) {
    assertThatThrownBy(() -> PictureBudget.checkPixels(width, height, bytes, Long.MAX_VALUE, NAME))
        .isInstanceOf(FileException.class)
        .hasMessageContaining(message);
  }

  @Test
  void aPhotographOf24MegapixelsIsDecoded() throws IOException {
    BufferedImage image = new BufferedImage(6000, 4000, BufferedImage.TYPE_BYTE_GRAY);
    for (int y = 0; y < 4000; y++) {
      for (int x = 0; x < 6000; x++) {
        image.getRaster().setSample(x, y, 0, (x * 31 ^ y * 17) & 0xff);
      }
    }
    assertThat(PictureReader.decode(progressive(image), NAME).width()).isEqualTo(6000);
  }

  @Test
  void passesOfAProgressiveJpegAreCounted() throws IOException {
    byte[] jpeg = progressive(new BufferedImage(2048, 2048, BufferedImage.TYPE_BYTE_GRAY));
    JpegFile file = JpegFile.parse(jpeg, 0, jpeg.length, NAME);
    assertThat(file.width()).isEqualTo(2048);
    assertThat(file.scans()).isBetween(2, 20);
    // The last scan again and again: 4 megapixels each.
    int scan = lastScan(jpeg);
    ByteArrayOutputStream bomb = new ByteArrayOutputStream();
    bomb.write(jpeg, 0, scan);
    for (int i = 0; i < 100; i++) {
      bomb.write(jpeg, scan, jpeg.length - 2 - scan);
    }
    bomb.write(jpeg, jpeg.length - 2, 2);
    assertRefused(bomb.toByteArray()).hasMessageContaining("scans of 2048 x 2048 pixels in");
  }

  @Test
  void samplesThatAreNoUnsignedNumbersOfAtMost16BitsAreRefused() {
    assertRefused(tiff(Map.of(258, 16, 339, 2))).hasMessageContaining("has signed samples");
    assertRefused(tiff(Map.of(258, 16, 339, 6))).hasMessageContaining("has complex samples");
    assertRefused(tiff(Map.of(262, 8))).hasMessageContaining("(CIE Lab)");
    assertRefused(tiff(Map.of(262, 32803))).hasMessageContaining("interpretation 32803");
    assertRefused(tiff(Map.of(277, 9))).hasMessageContaining("has 9 samples per pixel");
  }

  @Test
  void partsOfATiffAreHeldAgainstTheFile() {
    assertRefused(tiff(Map.of(279, 5000))).hasMessageContaining("part 0 declares 5000 bytes");
    assertRefused(tiff(Map.of(273, 60000))).hasMessageContaining("at offset 60000");
    assertRefused(tiff(Map.of(322, 60000, 323, 60000)))
        .hasMessageContaining("has 60000 x 60000 pixels, but the maximum is");
    assertRefused(tiff(Map.of(259, 6))).hasMessageContaining("old-style JPEG");
  }

  @Test
  void aTiffHasAsManyPartsAsItsSizeAsksFor() {
    assertRefused(tiff(Map.of(278, 4)))
        .hasMessageContaining("has 1 parts, but its size requires 2");
    assertRefused(tiff(Map.of(256, 4, 277, 2, 284, 2)))
        .hasMessageContaining("has 1 parts, but its size requires 2");
    // Without rows of a strip, or with more than there are, there is one strip; it needs no length.
    int[] shared = {8, 8};
    assertThat(PictureReader.decode(tiff(Map.of(278, 9)), NAME).height()).isEqualTo(8);
    assertThat(PictureReader.decode(strips(1, 0, new int[] {8}, null), NAME).data()[9])
        .isEqualTo((byte) 36);
    assertThat(PictureReader.decode(strips(1, 4, new int[] {8, 40}, null), NAME).data()[32])
        .isEqualTo((byte) 128);
    assertRefused(strips(5, 4, shared, null))
        .hasMessageContaining("does not declare the lengths of its 2 parts");
    assertRefused(strips(5, 4, new int[] {8, 8, 8}, new int[] {9, 9, 9}))
        .hasMessageContaining("has 3 parts, but its size requires 2");
    assertRefused(strips(5, 4, shared, new int[] {150, 150}))
        .hasMessageContaining("its 2 parts declare 300 bytes in total, but the file has ");
  }

  @Test
  void aPartPackedAsJpegHoldsAWholePicture() throws IOException {
    byte[] tiff = pillow("tiff/jpeg-grey.tif");
    assertThat(PictureReader.decode(tiff, NAME).width()).isEqualTo(32);
    ByteBuffer in = ByteBuffer.wrap(tiff).order(ByteOrder.LITTLE_ENDIAN);
    int lengths = field(in, 279);
    // The end is two bytes behind what is left to the part: nothing behind it is looked at.
    in.putInt(lengths + 8, in.getInt(lengths + 8) - 2);
    assertRefused(tiff).hasMessageContaining("part 0 is not a complete JPEG image");
    byte[] large = pillow("tiff/jpeg-grey.tif");
    ByteBuffer tables = ByteBuffer.wrap(Arrays.copyOf(large, large.length + 20_000));
    tables.order(ByteOrder.LITTLE_ENDIAN).putInt(field(tables, 347) + 4, 20_000);
    assertRefused(tables.array()).hasMessageContaining("its JPEG tables have 20000 bytes");
  }

  /** 60,000 JPEG strips at one place, none of which has an end: 14 thousand million bytes. */
  @Test
  void stripsAreNotWalkedToTheEndOfTheFileEach() {
    int count = 60_000;
    int[] offsets = new int[count];
    Arrays.fill(offsets, 8);
    assertTimeoutPreemptively(
        Duration.ofSeconds(20),
        () ->
            assertRefused(strips(7, 1, offsets, null))
                .hasMessageContaining("has 60000 parts, but its size requires 8"));
  }

  @Test
  void greyTiffsOf8And16BitsAreReadWhicheverEndIsWhite() {
    byte[] ramp = new byte[64];
    for (int i = 0; i < 64; i++) {
      ramp[i] = (byte) (4 * i);
    }
    assertThat(PictureReader.decode(tiff(Map.of()), NAME).data()).isEqualTo(ramp);
    byte[] fallen = PictureReader.decode(tiff(Map.of(262, 0)), NAME).data();
    assertThat(fallen[0]).isEqualTo((byte) 255);
    assertThat(fallen[63]).isEqualTo((byte) (255 - 252));
    // 16 bits, of which the file has 4 x 8 samples: 0x0400 is the first.
    Map<Integer, Integer> deep = Map.of(256, 4, 258, 16);
    assertThat(PictureReader.decode(tiff(deep), NAME).data()[0]).isEqualTo((byte) 4);
    Map<Integer, Integer> fallenDeep = Map.of(256, 4, 258, 16, 262, 0);
    assertThat(PictureReader.decode(tiff(fallenDeep), NAME).data()[0]).isEqualTo((byte) 251);
  }

  @Test
  void eachChannelOfABmpHasItsOwnBits() throws IOException {
    BufferedImage image = new BufferedImage(2, 1, BufferedImage.TYPE_USHORT_565_RGB);
    image.setRGB(0, 0, 0xffffff);
    image.setRGB(1, 0, 0x08fc00);
    ByteArrayOutputStream bmp = new ByteArrayOutputStream();
    assertThat(ImageIO.write(image, "bmp", bmp)).isTrue();
    assertThat(PictureReader.decode(bmp.toByteArray(), NAME).data())
        .containsExactly(0xff, 0xff, 0xff, 0x08, 0xfa, 0);
    byte[] none = Files.readAllBytes(CORPUS.resolve("mask-of-no-bits.bmp"));
    assertRefused(none).hasMessageContaining("has samples of 0 bits, but only 1 to 16");
  }

  @Test
  void aPictureInsideABmpIsNotRead() {
    ByteBuffer bmp = ByteBuffer.allocate(100).order(ByteOrder.LITTLE_ENDIAN);
    bmp.put((byte) 'B').put((byte) 'M').putInt(14, 40).put(30, (byte) 5);
    assertRefused(bmp.array()).hasMessageContaining("a BMP with an embedded JPEG or PNG");
  }

  @Test
  void outOfMemoryNamesThePictureAndWhatItNeeds() {
    assertThatThrownBy(() ->
            PictureBudget.decoded(
                NAME, 10_000, 10_000, 6, () -> new long[Integer.MAX_VALUE].length))
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(
            NAME + ": requires about 573 MiB to decode 10000 x 10000 pixels, but the Java heap");
    assertThatThrownBy(() -> PictureBudget.within(NAME, () -> new long[Integer.MAX_VALUE].length))
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(NAME + ": requires more memory");
  }

  private static AbstractThrowableAssert<?, ? extends Throwable> assertRefused(byte[] bytes) {
    return assertThatThrownBy(() -> PictureReader.decode(bytes, NAME))
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(NAME + ": ");
  }

  /** A grey ramp of 8 x 8 pixels of 8 bits, with other values in some fields. */
  private static byte[] tiff(Map<Integer, Integer> others) {
    Map<Integer, Integer> fields = new TreeMap<>(Map.of(256, 8, 257, 8, 258, 8, 259, 1, 262, 1));
    fields.putAll(Map.of(273, 8, 277, 1, 278, 8, 279, 64));
    fields.putAll(others);
    ByteBuffer out = ByteBuffer.allocate(8 + 64 + 2 + 12 * fields.size() + 4);
    out.order(ByteOrder.LITTLE_ENDIAN).put(new byte[] {'I', 'I', 42, 0}).putInt(72);
    for (int i = 0; i < 64; i++) {
      out.put((byte) (4 * i));
    }
    out.putShort((short) fields.size());
    fields.forEach(
        (tag, value) -> out.putShort(tag.shortValue()).putShort((short) 3).putInt(1).putInt(value));
    return out.putInt(0).array();
  }

  /** The same ramp in strips of some rows, where 0 and null leave their fields out. */
  private static byte[] strips(int compression, int rows, int[] offsets, int @Nullable [] lengths) {
    int directory = 72 + 4 * offsets.length * (lengths == null ? 1 : 2);
    int fields = 7 + (rows == 0 ? 0 : 1) + (lengths == null ? 0 : 1);
    ByteBuffer out = ByteBuffer.allocate(directory + 2 + 12 * fields + 4);
    out.order(ByteOrder.LITTLE_ENDIAN).put(new byte[] {'I', 'I', 42, 0}).putInt(directory);
    for (int i = 0; i < 64; i++) {
      out.put((byte) (4 * i));
    }
    for (int offset : offsets) {
      out.putInt(offset);
    }
    for (int i = 0; lengths != null && i < lengths.length; i++) {
      out.putInt(lengths[i]);
    }
    out.putShort((short) fields);
    new TreeMap<>(Map.of(256, 8, 257, 8, 258, 8, 259, compression, 262, 1))
        .forEach((tag, value) -> put(out, tag, 1, value));
    int count = offsets.length;
    put(out, 273, count, count == 1 ? offsets[0] : 72);
    put(out, 277, 1, 1);
    if (rows != 0) {
      put(out, 278, 1, rows);
    }
    if (lengths != null) {
      put(out, 279, count, count == 1 ? lengths[0] : 72 + 4 * count);
    }
    return out.putInt(0).array();
  }

  private static void put(ByteBuffer out, int tag, int count, int value) {
    boolean isLarge = tag == 273 || tag == 279;
    out.putShort((short) tag).putShort((short) (isLarge ? 4 : 3)).putInt(count).putInt(value);
  }

  private static byte[] pillow(String name) throws IOException {
    return Objects.requireNonNull(PillowPicturesTest.pictures().get(name));
  }

  /** Where the entry of a field lies in the directory. */
  private static int field(ByteBuffer tiff, int tag) {
    int at = tiff.order(ByteOrder.LITTLE_ENDIAN).getInt(4) + 2;
    while (tiff.getShort(at) != tag) {
      at += 12;
    }
    return at;
  }

  private static byte[] progressive(BufferedImage image) throws IOException {
    ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
    ImageWriteParam param = writer.getDefaultWriteParam();
    param.setProgressiveMode(ImageWriteParam.MODE_DEFAULT);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ImageOutputStream stream = ImageIO.createImageOutputStream(out)) {
      writer.setOutput(stream);
      writer.write(null, new IIOImage(image, null, null), param);
    } finally {
      writer.dispose();
    }
    return out.toByteArray();
  }

  private static int lastScan(byte[] jpeg) {
    int at = jpeg.length - 2;
    while (jpeg[at] != (byte) 0xff || jpeg[at + 1] != (byte) 0xda) {
      at--;
    }
    return at;
  }
}
