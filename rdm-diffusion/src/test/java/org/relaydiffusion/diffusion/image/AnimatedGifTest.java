// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.metadata.IIOMetadataNode;
import javax.imageio.stream.ImageInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.FileException;
import org.w3c.dom.Element;

class AnimatedGifTest {
  private static final String FORMAT = "javax_imageio_gif_image_1.0";

  @TempDir Path folder;

  /** What the JDK reads from an animation. */
  private record Read(List<Pixels> frames, List<Integer> hundredths, int repetitions) {
    static final int NONE = -1;
  }

  private Path write(int plays, int millis, List<Pixels> frames) {
    Path file = folder.resolve("a.gif");
    try (AnimatedGif gif = AnimatedGif.create(file, plays)) {
      frames.forEach(frame -> gif.add(frame, millis));
      assertThat(gif.frames()).isEqualTo(frames.size());
      gif.finish();
    }
    return file;
  }

  private static Read read(Path file) throws IOException {
    List<Pixels> frames = new ArrayList<>();
    List<Integer> hundredths = new ArrayList<>();
    int repetitions = Read.NONE;
    ImageReader reader = ImageIO.getImageReadersByFormatName("gif").next();
    try (ImageInputStream in = ImageIO.createImageInputStream(file.toFile())) {
      reader.setInput(in);
      for (int i = 0; i < reader.getNumImages(true); i++) {
        frames.add(pixels(reader.read(i)));
        var root = (IIOMetadataNode) reader.getImageMetadata(i).getAsTree(FORMAT);
        Element control = (Element) root.getElementsByTagName("GraphicControlExtension").item(0);
        hundredths.add(Integer.valueOf(control.getAttribute("delayTime")));
        assertThat(control.getAttribute("transparentColorFlag")).isEqualToIgnoringCase("false");
        var application =
            (IIOMetadataNode) root.getElementsByTagName("ApplicationExtension").item(0);
        if (application != null) {
          assertThat(i).isZero();
          byte[] data = (byte[]) application.getUserObject();
          assertThat(data).hasSize(3).startsWith(1);
          repetitions = (data[1] & 0xff) | (data[2] & 0xff) << 8;
        }
      }
    } finally {
      reader.dispose();
    }
    return new Read(frames, hundredths, repetitions);
  }

  private static Pixels pixels(BufferedImage image) {
    Pixels pixels = Pixels.black(image.getWidth(), image.getHeight(), 3);
    for (int i = 0; i < image.getWidth() * image.getHeight(); i++) {
      int rgb = image.getRGB(i % image.getWidth(), i / image.getWidth());
      for (int c = 0; c < 3; c++) {
        pixels.data()[3 * i + c] = (byte) (rgb >> (16 - 8 * c));
      }
    }
    return pixels;
  }

  /** Pixels of a number of random colours, each of which occurs. */
  private static Pixels ofColours(int colours, int width, int height, long seed) {
    Random random = new Random(seed);
    int[] palette = random.ints(0, 1 << 24).distinct().limit(colours).toArray();
    Pixels pixels = Pixels.black(width, height, 3);
    for (int i = 0; i < width * height; i++) {
      int rgb = palette[i < colours ? i : random.nextInt(colours)];
      for (int c = 0; c < 3; c++) {
        pixels.data()[3 * i + c] = (byte) (rgb >> (16 - 8 * c));
      }
    }
    return pixels;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 16, 17, 128, 129, 255, 256})
  void framesOfAtMost256ColoursAreExact(int colours) throws IOException {
    List<Pixels> frames =
        List.of(
            ofColours(colours, 64, 50, 1), ofColours(colours, 64, 50, 2), ofColours(1, 64, 50, 3));
    Path file = write(AnimatedGif.FOREVER, 40, frames);
    assertThat(read(file).frames()).isEqualTo(frames);
    assertThat(PictureReader.read(file)).isEqualTo(frames.getFirst());
  }

  @Test
  void greyFramesAreExactAndGrey() throws IOException {
    List<Pixels> frames =
        List.of(
            Pictures.noise(300, 200, 1), Pictures.smooth(300, 200, 1), Pixels.black(300, 200, 1));
    Path file = write(AnimatedGif.FOREVER, 40, frames);
    assertThat(read(file).frames()).isEqualTo(frames.stream().map(Pixels::toRgb).toList());
    assertThat(PictureReader.read(file)).isEqualTo(frames.getFirst());
  }

  /** Lengths at which codes become wider, the table is full, and blocks end. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 8, 9, 255, 256, 257, 510, 3837, 3838, 3839, 3840, 20000})
  void framesOfAnyLengthAreExact(int length) throws IOException {
    for (Pixels frame :
        new Pixels[] {
          Pictures.noise(length, 1, 1),
          Pixels.black(length, 1, 1),
          ofColours(Math.min(length, 2), length, 1, length),
          ofColours(Math.min(length, 4), length, 1, length),
        }) {
      Path file = write(1, 100, List.of(frame));
      assertThat(read(file).frames()).containsExactly(frame.toRgb());
    }
  }

  @Test
  void everyNumberOfCodesIsDecoded() throws IOException {
    // One more pixel each time: the end falls behind each width of code, and behind a full table.
    for (int length = 1; length < 600; length++) {
      Pixels frame = ofColours(Math.min(length, 4), length, 1, 7);
      assertThat(read(write(1, 100, List.of(frame))).frames()).containsExactly(frame);
    }
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "1, -1", "2, 1", "3, 2", "65536, 65535"})
  void theNumberOfPlaysIsStoredAsRepetitions(int plays, int repetitions) throws IOException {
    Pixels frame = Pictures.smooth(8, 8, 1);
    assertThat(read(write(plays, 40, List.of(frame, frame))).repetitions()).isEqualTo(repetitions);
  }

  @Test
  void delaysAreReadBackAndTheirRoundingDoesNotAccumulate() throws IOException {
    Pixels frame = Pictures.smooth(4, 4, 1);
    List<Pixels> frames = List.of(frame, frame, frame, frame, frame, frame);
    assertThat(read(write(1, 40, frames)).hundredths()).containsOnly(4);
    assertThat(read(write(1, 20, frames)).hundredths()).containsOnly(2);
    assertThat(read(write(1, 655_350, frames)).hundredths()).containsOnly(65535);
    assertThat(read(write(1, 33, frames)).hundredths()).containsExactly(3, 4, 3, 3, 4, 3);
    Path file = folder.resolve("b.gif");
    try (AnimatedGif gif = AnimatedGif.create(file, 1)) {
      gif.add(frame, 1000);
      gif.add(frame, 50);
      gif.add(frame, 2500);
      gif.finish();
    }
    assertThat(read(file).hundredths()).containsExactly(100, 5, 250);
  }

  @Test
  void otherFramesAreCloseAndKeepTheirMeanColours() throws IOException {
    Pixels smooth = Pictures.smooth(256, 256, 3);
    Pixels noise = Pictures.noise(256, 256, 3);
    List<Pixels> found = read(write(AnimatedGif.FOREVER, 40, List.of(smooth, noise))).frames();
    // Measured: 0.5 for a surface of colours that change slowly, 11.4 for the whole cube, of which
    // 256 colours have about 6 steps on each side.
    assertThat(meanError(smooth, found.get(0))).isLessThan(1);
    assertThat(meanError(noise, found.get(1))).isLessThan(13);
    // Dithering keeps the colour of areas: 0.1 and 0.5, a fraction of what single pixels are off.
    assertThat(areaError(smooth, found.get(0))).isLessThan(0.2);
    assertThat(areaError(noise, found.get(1))).isLessThan(0.8);
  }

  private static double meanError(Pixels expected, Pixels found) {
    double sum = 0;
    for (int i = 0; i < expected.data().length; i++) {
      sum += Math.abs((expected.data()[i] & 0xff) - (found.data()[i] & 0xff));
    }
    return sum / expected.data().length;
  }

  /** The mean difference of areas of 8 x 8 pixels. */
  private static double areaError(Pixels expected, Pixels found) {
    double sum = 0;
    int areas = 0;
    for (int y = 0; y < expected.height(); y += 8) {
      for (int x = 0; x < expected.width(); x += 8) {
        for (int c = 0; c < 3; c++) {
          int difference = 0;
          for (int i = 0; i < 64; i++) {
            difference += expected.value(x + i % 8, y + i / 8, c);
            difference -= found.value(x + i % 8, y + i / 8, c);
          }
          sum += Math.abs(difference) / 64.0;
          areas++;
        }
      }
    }
    return sum / areas;
  }

  @Test
  void equalFramesGiveEqualFiles() throws IOException {
    List<Pixels> frames = List.of(Pictures.noise(64, 64, 3), Pictures.smooth(64, 64, 3));
    byte[] once = Files.readAllBytes(write(AnimatedGif.FOREVER, 40, frames));
    byte[] again = Files.readAllBytes(write(AnimatedGif.FOREVER, 40, frames));
    assertThat(again).isEqualTo(once);
  }

  @Test
  void aFileThatIsNotFinishedDoesNotAppear() throws IOException {
    Path file = folder.resolve("below/a.gif");
    try (AnimatedGif gif = AnimatedGif.create(file, 1)) {
      gif.add(Pictures.smooth(8, 8, 3), 40);
    }
    assertThat(file.getParent()).isEmptyDirectory();
    Files.writeString(file, "old");
    try (AnimatedGif gif = AnimatedGif.create(file, 1)) {
      assertThatThrownBy(gif::finish)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("has no frame");
    }
    assertThat(file).hasContent("old");
  }

  @Test
  void aFinishedFileTakesNothingMore() {
    Path file = folder.resolve("a.gif");
    Pixels frame = Pictures.smooth(8, 8, 3);
    try (AnimatedGif gif = AnimatedGif.create(file, 1)) {
      gif.add(frame, 40);
      gif.finish();
      assertThatThrownBy(() -> gif.add(frame, 40)).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(gif::finish).isInstanceOf(IllegalStateException.class);
    }
    assertThat(PictureReader.read(file).width()).isEqualTo(8);
  }

  @Test
  void framesThatDoNotFitAreRefusedAndTheOthersKept() throws IOException {
    Path file = folder.resolve("a.gif");
    Pixels frame = Pictures.smooth(8, 9, 1);
    try (AnimatedGif gif = AnimatedGif.create(file, 1)) {
      assertThatThrownBy(() -> gif.add(Pixels.black(65536, 1, 1), 40))
          .hasMessageContaining("sides of at most 65535 pixels");
      gif.add(frame, 40);
      for (Pixels other :
          List.of(Pixels.black(9, 8, 1), Pixels.black(8, 8, 1), Pixels.black(8, 9, 3))) {
        assertThatThrownBy(() -> gif.add(other, 40))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageStartingWith(
                "all frames must have 8 x 9 pixels and 1 channels, but frame 1");
      }
      for (int millis : new int[] {-1, 0, 19, 655_351}) {
        assertThatThrownBy(() -> gif.add(frame, millis))
            .isInstanceOf(IllegalArgumentException.class)
            .hasMessageContaining("for 20 to 655350 ms, but found " + millis);
      }
      gif.add(frame, 40);
      gif.finish();
    }
    assertThat(read(file).frames()).containsExactly(frame.toRgb(), frame.toRgb());
  }

  @Test
  void aFileThatCannotBeWrittenIsNamed() throws IOException {
    Path below = Files.writeString(folder.resolve("file"), "x").resolve("a.gif");
    assertThatThrownBy(() -> AnimatedGif.create(below, 1))
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(below.toString());
    for (int plays : new int[] {-1, 65537}) {
      assertThatThrownBy(() -> AnimatedGif.create(folder.resolve("a.gif"), plays))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("but found " + plays);
    }
  }
}
