// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.DeflaterOutputStream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.FileException;

@Timeout(60)
class PngTextReaderTest {
  private static final Path NAME = Path.of("a.png");
  private static final byte[] PLAIN = PngWriter.encode(Pictures.smooth(5, 4, 1), Compression.FAST);

  @TempDir Path folder;

  private static byte[] latin1(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static byte[] packed(byte[] text) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (OutputStream deflater = new DeflaterOutputStream(out)) {
      deflater.write(text);
    }
    return out.toByteArray();
  }

  private static byte[] joined(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  /** A file with a chunk of each kind. */
  private static byte[] allKinds() throws IOException {
    byte[] utf8 = "\u6f22\u5b57 \u20ac".getBytes(StandardCharsets.UTF_8);
    byte[] png = PLAIN;
    png = PngChunks.inserted(png, "tEXt", latin1("First\0caf\u00e9"));
    png = PngChunks.inserted(png, "zTXt", joined(latin1("Second\0\0"), packed(latin1("second"))));
    png = PngChunks.inserted(png, "iTXt", joined(latin1("Third\0\0\0de\0dritte\0"), utf8));
    png = PngChunks.inserted(png, "iTXt", joined(latin1("Fourth\0\1\0\0\0"), packed(utf8)));
    return png;
  }

  private static AbstractThrowableAssert<?, ? extends Throwable> assertRefused(byte[] png) {
    return assertThatThrownBy(() -> PngText.decode(png, NAME))
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith("a.png: ")
        .hasMessageMatching("[^\n]*");
  }

  private static AbstractThrowableAssert<?, ? extends Throwable> assertRefused(
      String type, byte[]... parts) {
    return assertRefused(PngChunks.inserted(PLAIN, type, joined(parts)));
  }

  @Test
  void eachKindIsRead() throws IOException {
    PngText text = PngText.decode(allKinds(), NAME);
    assertThat(text.entries())
        .containsExactly(
            new PngTextEntry("Fourth", "\u6f22\u5b57 \u20ac"),
            new PngTextEntry("Third", "\u6f22\u5b57 \u20ac"),
            new PngTextEntry("Second", "second"),
            new PngTextEntry("First", "caf\u00e9"));
  }

  @Test
  void aFileThatIsCutAnywhereIsRefused() throws IOException {
    byte[] png = allKinds();
    Path file = folder.resolve("cut.png");
    for (int length = 0; length < png.length; length++) {
      byte[] cut = Arrays.copyOf(png, length);
      assertRefused(cut);
      Files.write(file, cut);
      assertThatThrownBy(() -> PngText.read(file)).isInstanceOf(FileException.class);
    }
  }

  @Test
  void aByteChangedAnywhereIsNoticed() throws IOException {
    byte[] png = allKinds();
    for (int i = 0; i < png.length; i++) {
      byte[] changed = png.clone();
      changed[i] ^= 0x20;
      assertRefused(changed);
    }
  }

  @Test
  void changedFilesWithRightChecksumsAreReadOrRefusedInOneLine() throws IOException {
    byte[] png = allKinds();
    int texts = png.length - PLAIN.length;
    Random random = new Random(5);
    int refused = 0;
    for (int round = 0; round < 20_000; round++) {
      byte[] changed = png.clone();
      for (int i = 0; i <= round % 3; i++) {
        changed[33 + random.nextInt(texts)] = (byte) random.nextInt(256);
      }
      try {
        PngText found = PngText.decode(PngChunks.withChecksums(changed), NAME);
        assertThat(found.entries()).hasSizeLessThanOrEqualTo(5);
      } catch (FileException e) {
        assertThat(e.getMessage()).startsWith("a.png: ").doesNotContain("\n");
        refused++;
      }
    }
    assertThat(refused).isBetween(1000, 19_000);
  }

  @Test
  void invalidChunksAreNamed() throws IOException {
    assertRefused("tEXt", latin1("no end"))
        .hasMessage("a.png: is damaged: the text chunk at byte 33 ends before its text");
    assertRefused("tEXt", latin1("\0text"))
        .hasMessageContaining("invalid text chunk at byte 33: a PNG keyword has 1 to 79");
    assertRefused("tEXt", latin1("k".repeat(80) + "\0text"))
        .hasMessageContaining("has a keyword of 80 bytes, but the maximum is 79");
    assertRefused("tEXt", latin1("k\0a\0b")).hasMessageContaining("contains NUL");
    assertRefused("zTXt", latin1("k\0\1"), packed(latin1("text")))
        .hasMessageContaining("has compression method 1, expected 0");
    assertRefused("zTXt", latin1("k\0\0"), latin1("not deflate data"))
        .hasMessageContaining("is not valid deflate data");
    byte[] packed = packed(latin1("text"));
    assertRefused("zTXt", latin1("k\0\0"), Arrays.copyOf(packed, packed.length - 1))
        .hasMessageContaining("has no complete compressed text");
    assertRefused("zTXt", latin1("k\0\0")).hasMessageContaining("no complete compressed text");
    // A preset dictionary, which PNG does not have.
    assertRefused("zTXt", latin1("k\0\0x\u00bb"), new byte[100_000])
        .hasMessageContaining("has no complete compressed text");
    assertRefused("zTXt", latin1("k\0")).hasMessageContaining("ends before its text");
    assertRefused("iTXt", latin1("k\0\2\0\0\0text"))
        .hasMessageContaining("has compression flag 2, expected 0 or 1");
    assertRefused("iTXt", latin1("k\0\1\3\0\0"), packed)
        .hasMessageContaining("has compression method 3, expected 0");
    assertRefused("iTXt", latin1("k\0\0\0en")).hasMessageContaining("ends before its text");
    assertRefused("iTXt", latin1("k\0\0\0\0\0\u00ff")).hasMessageContaining("is not valid UTF-8");
  }

  @Test
  void chunksOutOfOrderAreNamed() {
    byte[] header = Arrays.copyOfRange(PLAIN, 16, 29);
    assertRefused("IHDR", header)
        .hasMessage("a.png: is damaged: the IHDR chunk at byte 33 is out of order");
    // Pixels, then text, then the pixels again.
    byte[] once = PngChunks.inserted(PLAIN, "tEXt", latin1("k\0v"));
    assertRefused(PngChunks.inserted(once, "IDAT", new byte[0]))
        .hasMessageContaining("the IDAT chunk at byte 60 is out of order");
  }

  @Test
  void whatAFileClaimsIsHeldAgainstItsLength() {
    byte[] png = PngChunks.inserted(PLAIN, "tEXt", latin1("k\0v"));
    png[33] = 0x7f;
    assertRefused(png).hasMessageContaining("the chunk at byte 33 declares 2130706435 bytes, but");
    png[33] = (byte) 0xff;
    assertRefused(png).hasMessageContaining("the chunk at byte 33 declares 4278190083 bytes, but");
  }

  @Test
  void textsAreBounded() throws IOException {
    byte[] mebibyte = new byte[PngTextEntry.MOST_BYTES];
    Arrays.fill(mebibyte, (byte) 'x');
    String tooLong = "has a text of more than 1048576 bytes in the chunk at byte 33";
    assertRefused("tEXt", latin1("k\0"), mebibyte, latin1("x")).hasMessageContaining(tooLong);
    assertRefused("iTXt", latin1("k\0\0\0\0\0"), mebibyte, latin1("x"))
        .hasMessageContaining(tooLong);
    byte[] bomb = packed(new byte[100 << 20]);
    assertThat(bomb.length).isLessThan(1 << 17);
    assertRefused("zTXt", latin1("k\0\0"), bomb).hasMessageContaining(tooLong);
    assertRefused("iTXt", latin1("k\0\1\0\0\0"), bomb).hasMessageContaining(tooLong);
    byte[] four = PLAIN;
    for (int i = 0; i < 4; i++) {
      four = PngChunks.inserted(four, "zTXt", joined(latin1("k\0\0"), packed(mebibyte)));
    }
    assertThat(PngText.decode(four, NAME).entries()).hasSize(4);
    assertRefused(PngChunks.inserted(four, "tEXt", latin1("k\0v")))
        .hasMessage("a.png: has more than 1024 texts, or more than 4194304 bytes of text");
  }

  @Test
  void entriesAreCounted() {
    ByteArrayOutputStream many = new ByteArrayOutputStream();
    many.write(PLAIN, 0, 33);
    for (int i = 0; i < 1025; i++) {
      PngChunks.append(many, "tEXt", latin1("k\0"));
    }
    many.write(PLAIN, 33, PLAIN.length - 33);
    assertRefused(many.toByteArray()).hasMessageContaining("has more than 1024 texts");
  }

  @Test
  void filesThatAreNotPngsAreRefused() throws IOException {
    assertThatThrownBy(() -> PngText.read(folder.resolve("missing.png")))
        .isInstanceOf(FileException.class);
    assertThatThrownBy(() -> PngText.read(folder)).isInstanceOf(FileException.class);
    Path text = Files.writeString(folder.resolve("a.txt"), "text");
    assertThatThrownBy(() -> PngText.read(text))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("is not a PNG file");
  }
}
