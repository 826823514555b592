// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.image;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.relaydiffusion.FileException;

/**
 * Reads the text chunks of a PNG file. A file is untrusted: a text is measured, or decompressed up
 * to the limit, before it is kept.
 */
final class PngTextReader {
  private static final int BUFFER = 1 << 13;

  private final Path file;
  private final List<PngTextEntry> entries = new ArrayList<>();
  private long bytes;
  private String before = "";
  private boolean hasPixels;

  private PngTextReader(Path file) {
    this.file = file;
  }

  /** Reads as {@link PngText#read}. */
  static PngText read(ByteBuffer png, Path file) {
    PngTextReader reader = new PngTextReader(file);
    PngFile.parse(png, file, reader::chunk);
    return new PngText(reader.entries);
  }

  private void chunk(String type, ByteBuffer data, int start) {
    checkOrder(type, start);
    switch (type) {
      case "tEXt" -> latin1(data, start);
      case "zTXt" -> compressed(data, start);
      case "iTXt" -> international(data, start);
      default -> {}
    }
  }

  private void checkOrder(String type, int start) {
    boolean isOutOfOrder =
        switch (type) {
          case "IHDR" -> !before.isEmpty();
          case "IDAT" -> hasPixels && !before.equals("IDAT");
          default -> false;
        };
    if (isOutOfOrder) {
      throw new FileException(
          file, "is damaged: the %s chunk at byte %s is out of order".formatted(type, start));
    }
    hasPixels |= type.equals("IDAT");
    before = type;
  }

  private void latin1(ByteBuffer data, int start) {
    String keyword = keyword(data, start);
    add(keyword, latin1(limited(data, start)), start);
  }

  private void compressed(ByteBuffer data, int start) {
    String keyword = keyword(data, start);
    checkMethod(u8(data, start), start);
    add(keyword, latin1(inflated(data, start)), start);
  }

  private void international(ByteBuffer data, int start) {
    String keyword = keyword(data, start);
    int flag = u8(data, start);
    int method = u8(data, start);
    skipToNul(data, start);
    skipToNul(data, start);
    if (flag > 1) {
      throw damaged(start, "has compression flag %s, expected 0 or 1".formatted(flag));
    }
    if (flag == 1) {
      checkMethod(method, start);
    }
    add(keyword, utf8(flag == 1 ? inflated(data, start) : limited(data, start), start), start);
  }

  private void add(String keyword, String text, int start) {
    try {
      PngTextEntry entry = new PngTextEntry(keyword, text);
      bytes += entry.textBytes();
      entries.add(entry);
    } catch (IllegalArgumentException e) {
      throw new FileException(
          file, "has an invalid text chunk at byte %s: %s".formatted(start, e.getMessage()), e);
    }
    if (entries.size() > PngText.MOST_ENTRIES || bytes > PngText.MOST_BYTES) {
      throw new FileException(
          file,
          "has more than %s texts, or more than %s bytes of text"
              .formatted(PngText.MOST_ENTRIES, PngText.MOST_BYTES));
    }
  }

  /** Reads the keyword, and leaves the buffer after its NUL. */
  private String keyword(ByteBuffer data, int start) {
    int length = skipToNul(data, start);
    if (length > PngTextEntry.MOST_KEYWORD) {
      throw damaged(
          start,
          "has a keyword of %s bytes, but the maximum is %s"
              .formatted(length, PngTextEntry.MOST_KEYWORD));
    }
    return latin1(data.slice(data.position() - length - 1, length));
  }

  /** Moves the buffer after the next NUL, and returns the number of bytes before that. */
  private int skipToNul(ByteBuffer data, int start) {
    int from = data.position();
    while (data.hasRemaining()) {
      if (data.get() == 0) {
        return data.position() - from - 1;
      }
    }
    throw damaged(start, "ends before its text");
  }

  private int u8(ByteBuffer data, int start) {
    if (!data.hasRemaining()) {
      throw damaged(start, "ends before its text");
    }
    return data.get() & 0xff;
  }

  private void checkMethod(int method, int start) {
    if (method != 0) {
      throw damaged(start, "has compression method %s, expected 0".formatted(method));
    }
  }

  private ByteBuffer limited(ByteBuffer text, int start) {
    if (text.remaining() > PngTextEntry.MOST_BYTES) {
      throw tooLong(start);
    }
    return text;
  }

  private ByteBuffer inflated(ByteBuffer compressed, int start) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    byte[] part = new byte[BUFFER];
    Inflater inflater = new Inflater();
    try {
      while (!inflater.finished()) {
        int count = inflater.inflate(part);
        if (out.size() + count > PngTextEntry.MOST_BYTES) {
          throw tooLong(start);
        }
        out.write(part, 0, count);
        if (count == 0 && !inflater.finished()) {
          if (inflater.needsDictionary() || !compressed.hasRemaining()) {
            throw damaged(start, "has no complete compressed text");
          }
          inflater.setInput(copied(compressed));
        }
      }
    } catch (DataFormatException e) {
      throw damaged(start, "is not valid deflate data (%s)".formatted(e.getMessage()));
    } finally {
      inflater.end();
    }
    return ByteBuffer.wrap(out.toByteArray());
  }

  /** Returns the next bytes: zlib must not read a mapped file, which may be truncated meanwhile. */
  private static byte[] copied(ByteBuffer bytes) {
    byte[] copy = new byte[Math.min(BUFFER, bytes.remaining())];
    bytes.get(copy);
    return copy;
  }

  private static String latin1(ByteBuffer bytes) {
    return StandardCharsets.ISO_8859_1.decode(bytes).toString();
  }

  private String utf8(ByteBuffer bytes, int start) {
    try {
      // Unlike Charset.decode, this rejects invalid bytes.
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw damaged(start, "is not valid UTF-8");
    }
  }

  private FileException tooLong(int start) {
    return new FileException(
        file,
        "has a text of more than %s bytes in the chunk at byte %s"
            .formatted(PngTextEntry.MOST_BYTES, start));
  }

  private FileException damaged(int start, String what) {
    return new FileException(
        file, "is damaged: the text chunk at byte %s %s".formatted(start, what));
  }
}
