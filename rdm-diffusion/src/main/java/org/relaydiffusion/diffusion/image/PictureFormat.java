// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.image.webp.WebpFile;

/** The supported image formats, by their first bytes, and the names of unsupported ones. */
enum PictureFormat {
  PNG,
  JPEG,
  WEBP,
  TIFF,
  GIF,
  BMP,
  NETPBM;

  /** The supported formats, for messages. */
  static final String READ = "PNG, JPEG, WebP, TIFF, GIF, BMP, PBM, PGM and PPM";

  /**
   * Returns the format of a file.
   *
   * @param bytes the complete file
   * @param file its name, for messages; its extension identifies formats without a signature
   * @throws FileException naming the format, if it is not supported
   */
  static PictureFormat of(byte[] bytes, Path file) {
    if (PngFile.isPng(ByteBuffer.wrap(bytes))) {
      return PNG;
    }
    if (JpegFile.isJpeg(bytes)) {
      return JPEG;
    }
    if (WebpFile.isWebp(bytes)) {
      return WEBP;
    }
    if (TiffFile.isTiff(bytes)) {
      return TIFF;
    }
    if (startsWith(bytes, 0, "GIF8")) {
      return GIF;
    }
    if (startsWith(bytes, 0, "BM")) {
      return BMP;
    }
    if (NetpbmFile.isNetpbm(bytes)) {
      return NETPBM;
    }
    throw foreign(bytes, file);
  }

  private static FileException foreign(byte[] bytes, Path file) {
    if (bytes.length == 0) {
      return new FileException(file, "is empty: expected an image");
    }
    return new FileException(
        file,
        known(bytes, file)
            .map(name ->
                "is %s image, which is not supported: convert it to PNG first".formatted(name))
            .orElse("is not an image of a supported format (" + READ + ")"));
  }

  /** Formats that other programs support, with their articles. */
  private static Optional<String> known(byte[] bytes, Path file) {
    if (startsWith(bytes, 4, "ftypavif") || startsWith(bytes, 4, "ftypavis")) {
      return Optional.of("an AVIF");
    }
    if (startsWith(bytes, 4, "ftyphei") || startsWith(bytes, 4, "ftypmif1")) {
      return Optional.of("a HEIC");
    }
    if (startsWith(bytes, 0, "\0\0\0\fjP  ") || startsWith(bytes, 0, "\u00ffO\u00ffQ")) {
      return Optional.of("a JPEG 2000");
    }
    if (startsWith(bytes, 0, "\u00ff\n") || startsWith(bytes, 0, "\0\0\0\fJXL ")) {
      return Optional.of("a JPEG XL");
    }
    if (startsWith(bytes, 0, "8BPS")) {
      return Optional.of("a Photoshop");
    }
    if (startsWith(bytes, 0, "v/1\u0001")) {
      return Optional.of("an OpenEXR");
    }
    if (startsWith(bytes, 0, "II+\0") || startsWith(bytes, 0, "MM\0+")) {
      return Optional.of("a BigTIFF");
    }
    if (startsWith(bytes, 0, "\0\0\1\0") || startsWith(bytes, 0, "\0\0\2\0")) {
      return Optional.of("an ICO");
    }
    String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
    if (bytes[0] == '\n' && name.endsWith(".pcx")) {
      return Optional.of("a PCX");
    }
    return name.endsWith(".tga") ? Optional.of("a TGA") : Optional.empty();
  }

  static boolean startsWith(byte[] bytes, int offset, String text) {
    return bytes.length >= offset + text.length()
        && new String(bytes, offset, text.length(), StandardCharsets.ISO_8859_1).equals(text);
  }
}
