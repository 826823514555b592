// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.FileException;

/** Pictures of every kind that is read come out with the bits that Pillow gives. */
class PillowPicturesTest {
  @ParameterizedTest
  @ValueSource(strings = {"jpeg", "webp", "png", "gif", "bmp", "tiff", "netpbm"})
  void everyPictureHasPillowsValues(String kind) throws IOException {
    Map<String, byte[]> pictures = pictures();
    List<String> found = new ArrayList<>();
    List<String> expected = expected().stream().filter(l -> l.startsWith(kind + "/")).toList();
    for (String line : expected) {
      String name = line.substring(0, line.indexOf(' '));
      found.add(name + " " + read(Objects.requireNonNull(pictures.get(name)), Path.of(name)));
    }
    assertThat(found).containsExactlyElementsOf(expected);
  }

  @Test
  void thereAreAtLeast300() throws IOException {
    assertThat(expected()).hasSizeGreaterThan(300);
  }

  private static String read(byte[] bytes, Path name) {
    try {
      Pixels pixels = PictureReader.decode(bytes, name);
      PictureReader.Size size = PictureReader.size(bytes, name);
      return "%s %s %s %s"
          .formatted(size.width(), size.height(), pixels.channels(), hash(pixels.data()));
    } catch (FileException e) {
      return String.valueOf(e.getMessage());
    }
  }

  private static String hash(byte[] values) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(values);
      return HexFormat.of().formatHex(digest, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is not available", e);
    }
  }

  static List<String> expected() throws IOException {
    return new String(resource("expected.txt"), StandardCharsets.UTF_8).lines().toList();
  }

  /** The files of pictures.zip by name. */
  static Map<String, byte[]> pictures() throws IOException {
    Map<String, byte[]> pictures = new TreeMap<>();
    try (var zip = new ZipInputStream(new ByteArrayInputStream(resource("pictures.zip")))) {
      for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
        pictures.put(entry.getName(), zip.readAllBytes());
      }
    }
    return pictures;
  }

  private static byte[] resource(String name) throws IOException {
    try (InputStream in = PillowPicturesTest.class.getResourceAsStream("pillow/" + name)) {
      return Objects.requireNonNull(in, name).readAllBytes();
    }
  }
}
