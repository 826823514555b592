// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/** Builds and changes PNG files chunk by chunk, for tests. */
final class PngChunks {
  private static final int OVERHEAD = 12;
  private static final int AFTER_HEADER = 33;

  private PngChunks() {}

  /** Appends a chunk with its checksum. */
  static void append(ByteArrayOutputStream out, String type, byte[] data) {
    byte[] name = type.getBytes(StandardCharsets.US_ASCII);
    CRC32 crc = new CRC32();
    crc.update(name);
    crc.update(data);
    out.writeBytes(ByteBuffer.allocate(8).putInt(data.length).put(name).array());
    out.writeBytes(data);
    out.writeBytes(ByteBuffer.allocate(4).putInt((int) crc.getValue()).array());
  }

  /** Returns the file with one more chunk behind its header. */
  static byte[] inserted(byte[] png, String type, byte[] data) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(png, 0, AFTER_HEADER);
    append(out, type, data);
    out.write(png, AFTER_HEADER, png.length - AFTER_HEADER);
    return out.toByteArray();
  }

  /** Returns the file without the chunks of a type. */
  static byte[] without(byte[] png, String type) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(png, 0, PngFile.SIGNATURE.length);
    for (int at = PngFile.SIGNATURE.length; at < png.length; at += length(png, at)) {
      if (!type(png, at).equals(type)) {
        out.write(png, at, length(png, at));
      }
    }
    return out.toByteArray();
  }

  /** Returns a copy with the checksums of its chunks, as far as there are whole chunks. */
  static byte[] withChecksums(byte[] png) {
    byte[] fixed = png.clone();
    int at = PngFile.SIGNATURE.length;
    while (at <= fixed.length - OVERHEAD) {
      int length = length(fixed, at);
      if (length < OVERHEAD || length > fixed.length - at) {
        break;
      }
      CRC32 crc = new CRC32();
      crc.update(fixed, at + 4, length - 8);
      ByteBuffer.wrap(fixed).putInt(at + length - 4, (int) crc.getValue());
      at += length;
    }
    return fixed;
  }

  private static int length(byte[] png, int at) {
    return OVERHEAD + ByteBuffer.wrap(png).getInt(at);
  }

  private static String type(byte[] png, int at) {
    return new String(png, at + 4, 4, StandardCharsets.ISO_8859_1);
  }
}
