package org.relaydiffusion.diffusion.image;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;

/** Questions about PNG files that were written before. */
public final class PngFiles {
  private PngFiles() {}

  /**
   * Whether a file begins as PNG files do.
   *
   * @throws FileException when it cannot be read
   */
  public static boolean isPng(Path file) {
    try (InputStream in = InputFile.stream(file)) {
      return PngFile.isPng(ByteBuffer.wrap(in.readNBytes(PngFile.SIGNATURE.length)));
    } catch (IOException e) {
      throw new FileException(file, "cannot be read: " + AtomicFile.reason(e), e);
    }
  }

  /**
   * Whether a file is there and whole, so that a resumed run need not make it again: its signature,
   * every chunk's checksum, its end, nothing behind the end, and the size it should have. Pixels
   * are not decoded.
   *
   * @param file may be missing, damaged, or something else altogether: the answer is then false
   * @param width the expected width
   * @param height the expected height
   * @param channels 1 (grey) or 3 (RGB), with 8 bits each
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
