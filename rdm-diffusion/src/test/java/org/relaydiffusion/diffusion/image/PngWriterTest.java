// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.relaydiffusion.FileException;

class PngWriterTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(Compression.class)
  void anotherDecoderFindsTheSamePixels(Compression compression) throws IOException {
    for (int channels : new int[] {1, 3}) {
      for (int[] size : new int[][] {{1, 1}, {1, 9}, {7, 1}, {33, 17}, {300, 200}}) {
        for (Pixels pixels :
            new Pixels[] {
              Pictures.noise(size[0], size[1], channels),
              Pictures.smooth(size[0], size[1], channels)
            }) {
          byte[] png = PngWriter.encode(pixels, compression);
          BufferedImage image = ImageIO.read(new ByteArrayInputStream(png));
          assertThat(image.getWidth()).isEqualTo(size[0]);
          assertThat(image.getHeight()).isEqualTo(size[1]);
          assertThat(image.getRaster().getNumBands()).isEqualTo(channels);
          byte[] data = new byte[pixels.data().length];
          image.getRaster().getDataElements(0, 0, size[0], size[1], data);
          assertThat(data).isEqualTo(pixels.data());
        }
      }
    }
  }

  @Test
  void moreWorkMakesSmallerFiles() {
    Pixels pixels = Pictures.smooth(256, 256, 3);
    int stored = PngWriter.encode(pixels, Compression.STORED).length;
    int fast = PngWriter.encode(pixels, Compression.FAST).length;
    int best = PngWriter.encode(pixels, Compression.BEST).length;
    assertThat(stored).isBetween(256 * 256 * 3, 256 * 256 * 3 + 1000);
    assertThat(fast).isLessThan(stored / 4);
    assertThat(best).isLessThanOrEqualTo(fast);
  }

  @Test
  void eachOfTheFiveFiltersIsChosenWhereItFits() {
    // Row by row: plain values, a ramp, a copy of the row above, their mean, and a plane's slope.
    byte[] data = new byte[64 * 40];
    for (int y = 0; y < 40; y++) {
      for (int x = 0; x < 64; x++) {
        data[y * 64 + x] = (byte) (y < 10 ? 3 * x : y < 20 ? 3 * x + y * x : x * x / 8 + y * y);
      }
    }
    Pixels pixels = new Pixels(64, 40, 1, data);
    byte[] png = PngWriter.encode(pixels, Compression.FAST);
    assertThat(PictureReader.decode(png, Path.of("filters.png"))).isEqualTo(pixels);
  }

  @Test
  void aFileIsWrittenWithTheFoldersAboveIt() {
    Pixels pixels = Pictures.smooth(20, 10, 3);
    Path file = folder.resolve("080000/080001.png");
    PngWriter.write(pixels, Compression.FAST, file);
    assertThat(PictureReader.read(file)).isEqualTo(pixels);
    assertThat(folder.resolve("080000")).isDirectoryContaining("glob:**/080001.png");
  }

  @Test
  void aFileThatCannotBeWrittenIsNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "x").resolve("below.png");
    Pixels pixels = Pictures.smooth(4, 4, 1);
    assertThatThrownBy(() -> PngWriter.write(pixels, Compression.FAST, file))
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(file.toString());
  }
}
