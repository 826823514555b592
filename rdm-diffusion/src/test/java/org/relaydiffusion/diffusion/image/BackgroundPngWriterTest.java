// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;

@Timeout(60)
class BackgroundPngWriterTest {
  private static final Pixels PICTURE = Pictures.smooth(16, 16, 3);

  @TempDir Path folder;

  @Test
  void closingWaitsForEveryPicture() {
    try (var writer = new BackgroundPngWriter(Compression.FAST, 2, 3)) {
      for (int i = 0; i < 40; i++) {
        writer.submit(folder.resolve(i + ".png"), Pictures.noise(16, i + 1, 3));
        assertThat(writer.held()).isBetween(0, 3);
      }
    }
    for (int i = 0; i < 40; i++) {
      assertThat(PictureReader.read(folder.resolve(i + ".png")))
          .isEqualTo(Pictures.noise(16, i + 1, 3));
    }
  }

  @Test
  void eachPictureHasItsOwnText() {
    try (var writer = new BackgroundPngWriter(Compression.FAST, 2, 3)) {
      for (int i = 0; i < 10; i++) {
        PngText text = new PngText(List.of(new PngTextEntry("Seed", "" + i)));
        writer.submit(folder.resolve(i + ".png"), PICTURE, text);
      }
    }
    for (int i = 0; i < 10; i++) {
      Path file = folder.resolve(i + ".png");
      assertThat(PngText.read(file).get("Seed")).hasValue("" + i);
      assertThat(PictureReader.read(file)).isEqualTo(PICTURE);
    }
  }

  @Test
  void closingThrowsTheFirstFailureAndStillWritesTheRest() throws IOException {
    Path bad = Files.writeString(folder.resolve("file"), "x").resolve("bad.png");
    Path good = folder.resolve("good.png");
    var writer = new BackgroundPngWriter(Compression.STORED, 1, 4);
    // Submitting does not fail before the picture was tried, so this one may be accepted or not.
    writer.submit(bad, PICTURE);
    boolean accepted = accepts(writer, good);
    if (accepted) {
      assertThatThrownBy(writer::close)
          .isInstanceOf(FileException.class)
          .hasMessageStartingWith(bad.toString());
    } else {
      writer.close();
    }
    assertThat(Files.exists(good)).isEqualTo(accepted);
    writer.close();
  }

  @Test
  void submittingThrowsAFailureOnceItIsKnownAndClosingDoesNotRepeatIt()
      throws IOException, InterruptedException {
    Path bad = Files.writeString(folder.resolve("file"), "x").resolve("bad.png");
    assertThatThrownBy(
            () -> {
              try (var writer = new BackgroundPngWriter(Compression.STORED, 1, 1)) {
                writer.submit(bad, PICTURE);
                while (writer.held() > 0) {
                  Thread.sleep(1);
                }
                writer.submit(folder.resolve("next.png"), PICTURE);
              }
            })
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(bad.toString())
        .hasNoSuppressedExceptions();
  }

  @Test
  void anInterruptedThreadIsToldSoAndItsPicturesAreStillWritten() {
    Path file = folder.resolve("a.png");
    var writer = new BackgroundPngWriter(Compression.FAST, 1, 1);
    writer.submit(file, PICTURE);
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> writer.submit(folder.resolve("b.png"), PICTURE))
        .isInstanceOf(RdmException.class)
        .hasMessageContaining("interrupted");
    writer.close();
    assertThat(Thread.interrupted()).isTrue();
    assertThat(PngFiles.isWhole(file, 16, 16, 3)).isTrue();
  }

  @Test
  void aClosedWriterTakesNothing() {
    var writer = new BackgroundPngWriter(Compression.FAST, 1, 1);
    writer.close();
    assertThatThrownBy(() -> writer.submit(folder.resolve("a.png"), PICTURE))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> new BackgroundPngWriter(Compression.FAST, 2, 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static boolean accepts(BackgroundPngWriter writer, Path file) {
    try {
      writer.submit(file, PICTURE);
      return true;
    } catch (FileException e) {
      return false;
    }
  }
}
