// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.image.Compression;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.image.PngWriter;
import org.relaydiffusion.diffusion.random.Subset;

class PictureCheckTest {
  @TempDir Path folder;

  /** Larger than the ends that are looked at, as its pixels are noise. */
  private static byte[] png(int side, int channels) {
    Pixels pixels = Pixels.black(side, side, channels);
    new Random(1).nextBytes(pixels.data());
    return PngWriter.encode(pixels, Compression.STORED);
  }

  private static byte[] jpeg(int side, int type) throws IOException {
    BufferedImage image = new BufferedImage(side, side, type);
    Random random = new Random(2);
    for (int i = 0; i < side * side; i++) {
      image.setRGB(i % side, i / side, random.nextInt());
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    assertThat(ImageIO.write(image, "jpeg", out)).isTrue();
    return out.toByteArray();
  }

  private List<String> check(Path data) {
    List<String> found = new ArrayList<>();
    PictureCheck check =
        PictureCheck.of(
            data, DatasetOptions.DEFAULT, bad -> found.add(bad.name()), new Cancellation());
    assertThat(check.bad()).extracting(BadPicture::name).isEqualTo(found);
    return check.bad().stream().map(BadPicture::message).toList();
  }

  private void put(String name, byte[] bytes) throws IOException {
    Files.write(folder.resolve(name), bytes);
  }

  @Test
  void whatTheEndsShowIsFound() throws IOException {
    put("a.png", png(64, 3));
    put("b.jpg", jpeg(64, BufferedImage.TYPE_INT_RGB));
    // A PNG by the name of a JPEG is one that can be read.
    put("c.jpeg", png(64, 3));
    put("d.png", Arrays.copyOf(png(64, 3), 9000));
    put("e.png", png(32, 3));
    put("f.png", png(96, 1));
    put("g.png", png(64, 1));
    put("h.jpg", jpeg(64, BufferedImage.TYPE_BYTE_GRAY));
    put("i.png", new byte[0]);
    byte[] behind = Arrays.copyOf(png(64, 3), 20_000);
    put("j.png", behind);
    Files.createSymbolicLink(folder.resolve("k.png"), folder.resolve("gone"));

    assertThat(check(folder))
        .satisfiesExactly(
            d -> assertThat(d).startsWith(folder.resolve("d.png") + ": is truncated"),
            e -> assertThat(e).endsWith("e.png: is 32 x 32 RGB, but a.png is 64 x 64 RGB"),
            f -> assertThat(f).endsWith("f.png: is 96 x 96 grey, but a.png is 64 x 64 RGB"),
            g -> assertThat(g).endsWith("g.png: is 64 x 64 grey, but a.png is 64 x 64 RGB"),
            h -> assertThat(h).endsWith("h.jpg: is 64 x 64 grey, but a.png is 64 x 64 RGB"),
            i -> assertThat(i).contains("i.png: is empty"),
            k -> assertThat(k).contains("k.png: cannot be read: no such file"));
  }

  /** The ends of these look like those of pictures that are read; decoding alone refuses them. */
  @ParameterizedTest
  @CsvSource({
    "0xc3, 8, lossless or hierarchical JPEG",
    "0xc5, 8, lossless or hierarchical JPEG",
    "0xc9, 8, arithmetic coding",
    "0xca, 8, arithmetic coding",
    "0xc0, 12, 12-bit JPEG",
  })
  void kindsOfJpegThatAreNotReadAreFound(String frame, int precision, String kind)
      throws IOException {
    byte[] whole = jpeg(200, BufferedImage.TYPE_INT_RGB);
    assertThat(whole).hasSizeGreaterThan(20_000);
    put("a.jpg", whole);
    byte[] other = whole.clone();
    int at = 2;
    while (other[at + 1] != (byte) 0xc0) {
      at += 2 + (other[at + 2] & 0xff) * 256 + (other[at + 3] & 0xff);
    }
    assertThat(PictureHeader.channels(whole)).isEqualTo(3);
    other[at + 1] = (byte) (int) Integer.decode(frame);
    other[at + 4] = (byte) precision;
    put("b.jpg", other);
    assertThat(check(folder)).singleElement().asString().contains("b.jpg: is a ").contains(kind);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 1, 1",
    "0, 2, 1",
    "0, 4, 1",
    "0, 8, 1",
    "0, 16, 0",
    "0, 3, 0",
    "2, 8, 3",
    "2, 16, 3",
    "2, 4, 0",
    "2, 0, 0",
    "3, 1, 3",
    "3, 2, 3",
    "3, 4, 3",
    "3, 8, 3",
    "3, 16, 0",
    "4, 8, 0",
    "6, 8, 3",
    "6, 16, 3",
    "6, 2, 0",
    "1, 8, 0",
  })
  void aPngHasTheDepthsOfItsColours(int colour, int depth, int channels) throws IOException {
    byte[] bytes = png(200, 3);
    bytes[24] = (byte) depth;
    bytes[25] = (byte) colour;
    assertThat(PictureHeader.channels(bytes)).isEqualTo(channels);
    put("a.png", png(200, 3));
    put("b.png", bytes);
    if (channels == 0) {
      assertThat(check(folder)).singleElement().asString().contains("b.png: ");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {ZipEntry.STORED, ZipEntry.DEFLATED})
  void picturesInZipsAreLookedAtInPlace(int method) throws IOException {
    Path file = folder.resolve("set.zip");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
      int number = 0;
      byte[] cut = Arrays.copyOf(png(64, 3), 9000);
      for (byte[] bytes : List.of(png(64, 3), cut, png(64, 3), png(16, 3))) {
        ZipEntry entry = new ZipEntry(number++ + ".png");
        entry.setMethod(method);
        entry.setSize(bytes.length);
        CRC32 crc = new CRC32();
        crc.update(bytes);
        entry.setCrc(crc.getValue());
        zip.putNextEntry(entry);
        zip.write(bytes);
        zip.closeEntry();
      }
    }
    assertThat(check(file))
        .hasSize(2)
        .anySatisfy(message -> assertThat(message).contains(".png: is truncated"))
        .anySatisfy(message -> assertThat(message).contains("is 16 x 16 RGB, but "));
  }

  @Test
  void theFirstGoodPictureDecidesAndNoneIsAnError() throws IOException {
    put("a.png", new byte[10]);
    put("b.png", png(64, 3));
    assertThat(check(folder)).singleElement().asString().contains("a.png: ");
    put("b.png", new byte[10]);
    assertThatThrownBy(() -> check(folder))
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(folder + ": has 2 images, of which none can be read: ");
    Path empty = Files.createDirectory(folder.resolve("empty"));
    assertThatThrownBy(() -> check(empty)).hasMessage(empty + ": contains no images");
  }

  @Test
  void itCanBeEndedEarlyAndLooksAtTheDrawnOnesOnly() throws IOException {
    put("a.png", new byte[10]);
    put("b.png", png(64, 3));
    put("c.png", new byte[10]);
    int seed = 0;
    while (Subset.drawn(3, 1, seed).raw(0) != 1) {
      seed++;
    }
    PictureCheck check =
        PictureCheck.of(
            folder,
            DatasetOptions.DEFAULT.withAtMost(1, seed),
            BadPicture.Listener.NONE,
            new Cancellation());
    assertThat(check).isEqualTo(new PictureCheck(List.of(), 1, LeftOut.NONE));
    Cancellation cancelled = new Cancellation();
    cancelled.cancel();
    assertThatThrownBy(() ->
            PictureCheck.of(folder, DatasetOptions.DEFAULT, BadPicture.Listener.NONE, cancelled))
        .isInstanceOf(CancelledException.class);
  }
}
