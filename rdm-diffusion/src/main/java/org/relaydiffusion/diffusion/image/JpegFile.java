package org.relaydiffusion.diffusion.image;

import java.nio.file.Path;
import org.relaydiffusion.FileException;

/**
 * What a JPEG's markers say, without decoding its pixels.
 *
 * @param width columns, 0 when there is no frame
 * @param height rows
 * @param scans how many there are: more than one in progressive files
 */
record JpegFile(int width, int height, int scans) {
  private static final int SOF_0 = 0xc0;
  private static final int SOF_15 = 0xcf;
  private static final int DHT = 0xc4;
  private static final int JPG = 0xc8;
  private static final int DAC = 0xcc;
  private static final int RST_0 = 0xd0;
  private static final int EOI = 0xd9;
  private static final int SOS = 0xda;
  private static final int TEM = 0x01;

  /** Whether a file begins as JPEG files do. */
  static boolean isJpeg(byte[] bytes) {
    return bytes.length > 2 && bytes[0] == (byte) 0xff && bytes[1] == (byte) 0xd8;
  }

  /**
   * Walks the markers up to the end of the picture or of the bytes, over stray bytes between them
   * as libjpeg does.
   *
   * @param from where the first marker is
   * @throws FileException when a second frame begins, which would be another size
   */
  static JpegFile parse(byte[] bytes, int from, Path file) {
    int width = 0;
    int height = 0;
    int scans = 0;
    int at = from;
    while (at + 1 < bytes.length) {
      int marker = bytes[at + 1] & 0xff;
      if (bytes[at] != (byte) 0xff || marker == 0 || marker == 0xff) {
        at++;
        continue;
      }
      at += 2;
      if (marker == EOI) {
        break;
      }
      if (marker == TEM || (marker >= RST_0 && marker < EOI)) {
        continue;
      }
      if (at + 2 > bytes.length) {
        break;
      }
      if (isFrame(marker) && at + 7 <= bytes.length) {
        if (width != 0) {
          throw new FileException(file, "is a damaged JPEG picture: it has two frames");
        }
        height = u16(bytes, at + 3);
        width = u16(bytes, at + 5);
      }
      scans += marker == SOS ? 1 : 0;
      at += Math.max(2, u16(bytes, at));
    }
    return new JpegFile(width, height, scans);
  }

  private static boolean isFrame(int marker) {
    return marker >= SOF_0 && marker <= SOF_15 && marker != DHT && marker != JPG && marker != DAC;
  }

  private static int u16(byte[] bytes, int at) {
    return (bytes[at] & 0xff) << 8 | (bytes[at + 1] & 0xff);
  }
}
