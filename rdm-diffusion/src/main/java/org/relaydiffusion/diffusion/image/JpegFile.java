// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.FileException;

/** The information in the markers of a JPEG, without decoding its pixels. */
final class JpegFile {
  private static final int SOF_0 = 0xc0;
  private static final int SOF_2 = 0xc2;
  private static final int SOF_9 = 0xc9;
  private static final int SOF_15 = 0xcf;
  private static final int DHT = 0xc4;
  private static final int JPG = 0xc8;
  private static final int DAC = 0xcc;
  private static final int RST_0 = 0xd0;
  private static final int EOI = 0xd9;
  private static final int SOS = 0xda;
  private static final int APP_0 = 0xe0;
  private static final int APP_14 = 0xee;
  private static final int APP_15 = 0xef;
  private static final int COM = 0xfe;
  private static final int TEM = 0x01;

  /** The minimum length; shorter segments are of another kind. */
  private static final int JFIF_LENGTH = 14;

  private static final int ADOBE_LENGTH = 12;
  private static final int NO_ADOBE = -1;

  private final byte[] bytes;
  private final Path file;
  private int frame;
  private int precision;
  private int width;
  private int height;
  private int scans;
  private boolean hasEnd;
  private boolean hasJfif;
  private int adobeTransform = NO_ADOBE;
  private final List<Component> components = new ArrayList<>();

  /**
   * A component declared by the frame.
   *
   * @param id its number
   * @param horizontal its sampling factor, relative to those of the others
   * @param vertical likewise
   */
  record Component(int id, int horizontal, int vertical) {}

  private JpegFile(byte[] bytes, Path file) {
    this.bytes = bytes;
    this.file = file;
  }

  /** Returns whether a file begins like a JPEG. */
  static boolean isJpeg(byte[] bytes) {
    return bytes.length > 2 && bytes[0] == (byte) 0xff && bytes[1] == (byte) 0xd8;
  }

  /**
   * Parses the markers up to the end of the image or of the data, skipping stray bytes between them
   * as libjpeg does.
   *
   * @param from position of the first marker
   * @param end position after the last byte that may belong to the image
   * @throws FileException if there is a second frame, which could have another size
   */
  static JpegFile parse(byte[] bytes, int from, int end, Path file) {
    JpegFile jpeg = new JpegFile(bytes, file);
    int at = from;
    while (at + 1 < end) {
      int marker = bytes[at + 1] & 0xff;
      if (bytes[at] != (byte) 0xff || marker == 0 || marker == 0xff) {
        at++;
        continue;
      }
      at += 2;
      if (marker == EOI) {
        jpeg.hasEnd = true;
        break;
      }
      if (marker == TEM || (marker >= RST_0 && marker < EOI)) {
        continue;
      }
      if (at + 2 > end) {
        break;
      }
      int length = Math.max(2, u16(bytes, at));
      jpeg.segment(marker, at + 2, Math.min(end, at + length));
      at += length;
    }
    return jpeg;
  }

  private void segment(int marker, int from, int end) {
    if (isFrame(marker) && end - from >= 6) {
      readFrame(marker, from, end);
    } else if (marker == SOS) {
      scans++;
    } else if (scans == 0 && marker == APP_0 && end - from >= JFIF_LENGTH) {
      hasJfif |= hasText(from, "JFIF\0");
    } else if (scans == 0
        && marker == APP_14
        && end - from >= ADOBE_LENGTH
        && hasText(from, "Adobe")) {
      adobeTransform = bytes[from + ADOBE_LENGTH - 1] & 0xff;
    }
  }

  private void readFrame(int marker, int from, int end) {
    if (frame != 0) {
      throw new FileException(file, "is a damaged JPEG image: it has two frames");
    }
    frame = marker;
    precision = bytes[from] & 0xff;
    height = u16(bytes, from + 1);
    width = u16(bytes, from + 3);
    int count = bytes[from + 5] & 0xff;
    for (int at = from + 6; at + 3 <= end && components.size() < count; at += 3) {
      int factors = bytes[at + 1] & 0xff;
      components.add(new Component(bytes[at] & 0xff, factors >> 4, factors & 0xf));
    }
  }

  private boolean hasText(int at, String text) {
    return new String(bytes, at, text.length(), StandardCharsets.ISO_8859_1).equals(text);
  }

  private static boolean isFrame(int marker) {
    return marker >= SOF_0 && marker <= SOF_15 && marker != DHT && marker != JPG && marker != DAC;
  }

  private static int u16(byte[] bytes, int at) {
    return (bytes[at] & 0xff) << 8 | (bytes[at + 1] & 0xff);
  }

  /** Returns the number of columns, 0 if there is no frame. */
  int width() {
    return width;
  }

  /** Returns the number of rows, 0 if there is no frame. */
  int height() {
    return height;
  }

  /** Returns the number of scans: more than one in progressive files. */
  int scans() {
    return scans;
  }

  /**
   * Returns whether there is a frame with a size, a scan and the end after them, so that no decoder
   * looks for more of the image elsewhere.
   */
  boolean isWhole() {
    return width > 0 && height > 0 && scans > 0 && hasEnd;
  }

  List<Component> components() {
    return components;
  }

  /**
   * Rejects kinds that no decoder supports, and truncated files.
   *
   * @throws FileException naming the kind
   */
  void check() {
    if (frame == 0) {
      throw new FileException(file, "is a damaged JPEG image: it has no frame");
    }
    if (!hasEnd) {
      throw new FileException(file, "is a damaged JPEG image: it is truncated before its end");
    }
    if (frame >= SOF_9) {
      throw new FileException(
          file, "is a JPEG with arithmetic coding, which is not supported: convert it to PNG");
    }
    if (frame > SOF_2 || precision != 8) {
      String kind = precision == 8 ? "lossless or hierarchical JPEG" : precision + "-bit JPEG";
      throw new FileException(
          file, "is a %s, which is not supported: convert it to PNG".formatted(kind));
    }
    int count = components.size();
    if (count != 1 && count != 3 && count != 4) {
      throw new FileException(
          file, "is a JPEG with %s components, but only 1, 3 and 4 are supported".formatted(count));
    }
  }

  /**
   * Returns whether the first three components are luma and chroma rather than colours, by
   * libjpeg's rules. With three components, a JFIF marker says that they are, otherwise Adobe's
   * marker decides, otherwise all are except those numbered R, G, B. With four components, only
   * Adobe's marker can say so.
   */
  boolean isLumaAndChroma() {
    if (components.size() == 4) {
      return adobeTransform > 0;
    }
    if (components.size() != 3) {
      return false;
    }
    if (hasJfif || adobeTransform != NO_ADOBE) {
      return hasJfif || adobeTransform != 0;
    }
    return components.get(0).id != 'R'
        || components.get(1).id != 'G'
        || components.get(2).id != 'B';
  }

  /**
   * Returns a copy of a file without the profiles, previews and texts before its first scan. These
   * do not affect the stored samples, but the JDK's reader would reject an image because of them,
   * or change its colours.
   */
  static byte[] withoutMetadata(byte[] bytes) {
    ByteArrayOutputStream out = new ByteArrayOutputStream(bytes.length);
    int kept = 0;
    int at = 2;
    while (at + 4 <= bytes.length) {
      int marker = bytes[at + 1] & 0xff;
      if (bytes[at] != (byte) 0xff || marker == 0 || marker == 0xff) {
        at++;
        continue;
      }
      if (marker == SOS || marker == EOI) {
        break;
      }
      if (marker == TEM || (marker >= RST_0 && marker < EOI)) {
        at += 2;
        continue;
      }
      int end = at + 2 + Math.max(2, u16(bytes, at + 2));
      if (((marker >= APP_0 && marker <= APP_15) || marker == COM) && end <= bytes.length) {
        out.write(bytes, kept, at - kept);
        kept = end;
      }
      at = end;
    }
    out.write(bytes, kept, bytes.length - kept);
    return out.toByteArray();
  }
}
