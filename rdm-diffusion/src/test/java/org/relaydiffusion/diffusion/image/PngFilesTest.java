// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PngFilesTest {
  @TempDir Path folder;
  private Path file = Path.of("");
  private byte[] png = {};

  @BeforeEach
  void writePicture() {
    file = folder.resolve("000003.png");
    png = PngWriter.encode(Pictures.smooth(12, 10, 3), Compression.FAST);
  }

  private boolean isWhole(byte[] bytes) throws IOException {
    Files.write(file, bytes);
    return PngFiles.isWhole(file, 12, 10, 3);
  }

  @Test
  void aWholeFileOfTheRightSizeIsWhole() throws IOException {
    assertThat(isWhole(png)).isTrue();
    assertThat(isWhole(PngWriter.encode(Pictures.noise(12, 10, 3), Compression.STORED))).isTrue();
  }

  @Test
  void aWholeFileWithTextIsWhole() throws IOException {
    SequencedMap<String, String> texts = new LinkedHashMap<>();
    texts.put("Software", "rdm");
    texts.put("parameters", "\u6f22\u5b57");
    png = PngWriter.encode(Pictures.smooth(12, 10, 3), Compression.FAST, PngText.of(texts));
    assertThat(isWhole(png)).isTrue();
    for (int i = 0; i < png.length; i++) {
      byte[] changed = png.clone();
      changed[i] ^= 0x40;
      assertThat(isWhole(changed)).as("byte %s", i).isFalse();
      assertThat(isWhole(Arrays.copyOf(png, i))).as("%s bytes", i).isFalse();
    }
  }

  @Test
  void anyOtherSizeIsNot() throws IOException {
    assertThat(isWhole(PngWriter.encode(Pictures.noise(10, 12, 3), Compression.FAST))).isFalse();
    assertThat(isWhole(PngWriter.encode(Pictures.noise(12, 10, 1), Compression.FAST))).isFalse();
  }

  @Test
  void noFileThatIsCutAnywhereIs() throws IOException {
    for (int length = 0; length < png.length; length++) {
      assertThat(isWhole(Arrays.copyOf(png, length))).as("%s bytes", length).isFalse();
    }
  }

  @Test
  void noFileWithAByteChangedAnywhereIs() throws IOException {
    for (int i = 0; i < png.length; i++) {
      byte[] changed = png.clone();
      changed[i] ^= 0x40;
      assertThat(isWhole(changed)).as("byte %s", i).isFalse();
    }
  }

  @Test
  void noFileWithSomethingBehindItsEndIs() throws IOException {
    assertThat(isWhole(Arrays.copyOf(png, png.length + 1))).isFalse();
  }

  @Test
  void aMissingFileOrAFolderIsNot() throws IOException {
    assertThat(PngFiles.isWhole(folder.resolve("missing.png"), 12, 10, 3)).isFalse();
    assertThat(PngFiles.isWhole(Files.createDirectory(folder.resolve("d.png")), 12, 10, 3))
        .isFalse();
  }
}
