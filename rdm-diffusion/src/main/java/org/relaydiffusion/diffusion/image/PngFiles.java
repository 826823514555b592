// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;

/** Properties of existing PNG files. */
public final class PngFiles {
  private PngFiles() {}

  /**
   * Returns whether a file begins like a PNG.
   *
   * @throws FileException if it cannot be read
   */
  public static boolean isPng(Path file) {
    try (InputStream in = InputFile.stream(file)) {
      return PngFile.isPng(ByteBuffer.wrap(in.readNBytes(PngFile.SIGNATURE.length)));
    } catch (IOException e) {
      throw new FileException(file, "cannot be read: " + AtomicFile.reason(e), e);
    }
  }

  /**
   * Returns whether a file exists and is complete, so that a resumed run can keep it: its
   * signature, the checksum of every chunk, its end without trailing data, and the expected size
   * are checked. Pixels are not decoded.
   *
   * @param file may be missing, damaged, or of another kind: the result is then false
   * @param width the expected width
   * @param height the expected height
   * @param channels 1 (grayscale) or 3 (RGB), with 8 bits each
   */
  public static boolean isWhole(Path file, int width, int height, int channels) {
    try {
      PngFile png = PngFile.read(file);
      return png.width() == width
          && png.height() == height
          && png.bitDepth() == 8
          && png.colourType() == (channels == 3 ? PngFile.RGB : PngFile.GREY)
          && png.trailing() == 0;
    } catch (FileException e) {
      return false;
    }
  }
}
