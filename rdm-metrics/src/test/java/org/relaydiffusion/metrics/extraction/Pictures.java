// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.relaydiffusion.diffusion.image.Compression;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.image.PngWriter;

/** Data sets of small pictures of noise. */
final class Pictures {
  static final int SIDE = 8;

  private Pictures() {}

  /** A zip of {@code count} pictures; the first ones are the same for every count. */
  static Path zip(Path file, int count) {
    return zip(file, count, SIDE);
  }

  static Path zip(Path file, int count, int side) {
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
      zip.setMethod(ZipOutputStream.STORED);
      for (int i = 0; i < count; i++) {
        byte[] png = png(i, side);
        ZipEntry entry = new ZipEntry(String.format(Locale.ROOT, "%05d.png", i));
        CRC32 crc = new CRC32();
        crc.update(png);
        entry.setCrc(crc.getValue());
        entry.setSize(png.length);
        zip.putNextEntry(entry);
        zip.write(png);
      }
      return file;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A folder of the same pictures. */
  static Path folder(Path folder, int count) throws IOException {
    Files.createDirectories(folder);
    for (int i = 0; i < count; i++) {
      Files.write(folder.resolve(String.format(Locale.ROOT, "%05d.png", i)), png(i, SIDE));
    }
    return folder;
  }

  static byte[] png(int seed, int side) {
    Pixels pixels = Pixels.black(side, side, 3);
    new Random(seed).nextBytes(pixels.data());
    return PngWriter.encode(pixels, Compression.STORED);
  }
}
