// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image.webp;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.relaydiffusion.FileException;

/**
 * The position of the first image in a WebP file, and its header. Alpha is ignored: as in Pillow's
 * {@code convert("RGB")}, colours are used as stored.
 *
 * @param width columns of the complete canvas, at least 1
 * @param height rows of the canvas, at least 1
 * @param isLossless whether the frame is VP8L, otherwise VP8
 * @param x position of the frame on the canvas, which is black around it
 * @param y likewise
 * @param frameWidth columns of the frame
 * @param frameHeight rows of the frame
 * @param from offset of the frame's first byte
 * @param end offset after its last byte
 */
public record WebpFile(
    int width,
    int height,
    boolean isLossless,
    int x,
    int y,
    int frameWidth,
    int frameHeight,
    int from,
    int end) {
  private static final int RIFF_HEADER = 12;
  private static final int CHUNK_HEADER = 8;
  private static final int CANVAS_SIZE = 4;
  private static final int FRAME_HEADER = 16;

  /** Returns whether a file begins like a WebP. */
  public static boolean isWebp(byte[] bytes) {
    return bytes.length >= RIFF_HEADER
        && text(bytes, 0).equals("RIFF")
        && text(bytes, 8).equals("WEBP");
  }

  /**
   * Finds the first image.
   *
   * @param bytes a complete file, for which {@link #isWebp} is true
   * @param file its name, for messages
   * @throws FileException if it is damaged, truncated or without an image
   */
  public static WebpFile parse(byte[] bytes, Path file) {
    long claimed = CHUNK_HEADER + u32(bytes, 4);
    if (claimed > bytes.length) {
      throw damaged(
          file, "it declares %s bytes, but has %s: truncated".formatted(claimed, bytes.length));
    }
    return new Walk(bytes, file).find(RIFF_HEADER, (int) claimed, false);
  }

  /** Iterates over the chunks, up to the first frame of an animation. */
  private static final class Walk {
    private final byte[] bytes;
    private final Path file;
    private int width;
    private int height;
    private int x;
    private int y;

    Walk(byte[] bytes, Path file) {
      this.bytes = bytes;
      this.file = file;
    }

    WebpFile find(int start, int end, boolean isFrame) {
      int at = start;
      while (end - at >= CHUNK_HEADER) {
        String type = text(bytes, at);
        long length = u32(bytes, at + 4);
        int body = at + CHUNK_HEADER;
        if (length > end - body) {
          throw damaged(file, "the chunk at byte %s declares %s bytes".formatted(at, length));
        }
        int stop = body + (int) length;
        if (isFrame && (type.equals("ANMF") || type.equals("VP8X"))) {
          throw damaged(file, "its first frame contains a nested animation");
        }
        switch (type) {
          case "VP8X" -> readCanvas(body, stop);
          case "ANMF" -> {
            if (length < FRAME_HEADER) {
              throw damaged(file, "its first frame has no header");
            }
            x = 2 * u24(bytes, body);
            y = 2 * u24(bytes, body + 3);
            return find(body + FRAME_HEADER, stop, true);
          }
          case "VP8 ", "VP8L" -> {
            return frame(type.equals("VP8L"), body, stop);
          }
          default -> {}
        }
        at = (int) Math.min(end, stop + (length & 1));
      }
      throw damaged(file, "it has no image");
    }

    private void readCanvas(int body, int stop) {
      if (stop - body < CANVAS_SIZE + 6) {
        throw damaged(file, "its canvas has no size");
      }
      width = 1 + u24(bytes, body + CANVAS_SIZE);
      height = 1 + u24(bytes, body + CANVAS_SIZE + 3);
    }

    private WebpFile frame(boolean isLossless, int from, int end) {
      int frameWidth;
      int frameHeight;
      if (isLossless) {
        LosslessDecoder.checkSignature(bytes, from, end, file);
        frameWidth = LosslessDecoder.width(bytes, from);
        frameHeight = LosslessDecoder.height(bytes, from);
      } else {
        FrameHeader.checkTag(bytes, from, end, file);
        frameWidth = FrameHeader.width(bytes, from);
        frameHeight = FrameHeader.height(bytes, from);
      }
      int canvasWidth = width == 0 ? frameWidth : width;
      int canvasHeight = width == 0 ? frameHeight : height;
      if (frameWidth < 1 || frameHeight < 1) {
        throw damaged(file, "it declares %s x %s pixels".formatted(frameWidth, frameHeight));
      }
      if (x > canvasWidth - frameWidth || y > canvasHeight - frameHeight) {
        throw damaged(file, "its frame is outside the canvas");
      }
      return new WebpFile(
          canvasWidth, canvasHeight, isLossless, x, y, frameWidth, frameHeight, from, end);
    }
  }

  /**
   * Decodes the image.
   *
   * @param bytes the parsed file
   * @param file its name, for messages
   * @return RGB [height, width, 3]
   * @throws FileException if it is damaged or truncated
   */
  public byte[] decode(byte[] bytes, Path file) {
    byte[] frame =
        isLossless
            ? LosslessDecoder.decode(bytes, from, end, file)
            : LossyDecoder.decode(bytes, from, end, file);
    if (frameWidth == width && frameHeight == height) {
      return frame;
    }
    byte[] canvas = new byte[3 * width * height];
    for (int row = 0; row < frameHeight; row++) {
      int to = 3 * ((y + row) * width + x);
      System.arraycopy(frame, 3 * row * frameWidth, canvas, to, 3 * frameWidth);
    }
    return canvas;
  }

  private static String text(byte[] bytes, int at) {
    return new String(bytes, at, 4, StandardCharsets.ISO_8859_1);
  }

  private static int u24(byte[] bytes, int at) {
    return (bytes[at] & 0xff) | (bytes[at + 1] & 0xff) << 8 | (bytes[at + 2] & 0xff) << 16;
  }

  private static long u32(byte[] bytes, int at) {
    return u24(bytes, at) | (bytes[at + 3] & 0xffL) << 24;
  }

  private static FileException damaged(Path file, String what) {
    return new FileException(file, "is a damaged WebP image: " + what);
  }
}
