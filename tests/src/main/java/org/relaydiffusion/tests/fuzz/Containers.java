// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.fuzz;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.relaydiffusion.diffusion.image.Compression;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.image.PngText;
import org.relaydiffusion.diffusion.image.PngTextEntry;
import org.relaydiffusion.diffusion.image.PngWriter;

/** Files with an input inside, packed and with valid checksums. */
final class Containers {
  private static final byte[] PNG = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
  private static final int CHUNK_OVERHEAD = 12;
  private static final int TAR_BLOCK = 512;
  private static final int STORAGE_BYTES = 1 << 12;
  private static final int MOST_TENSOR_BYTES = 1 << 20;
  private static final Pattern LAST_OFFSET = Pattern.compile(",\\s*(\\d{1,9})\\s*\\]");
  private static final byte[] PICTURE = PngWriter.encode(Pixels.black(4, 4, 3), Compression.STORED);

  private Containers() {}

  /** PyTorch's zip of a pickle. */
  static byte[] torchZip(byte[] pickle) throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("archive/data.pkl", pickle);
    entries.put("archive/byteorder", "little".getBytes(StandardCharsets.US_ASCII));
    entries.put("archive/data/0", new byte[STORAGE_BYTES]);
    entries.put("archive/version", "3\n".getBytes(StandardCharsets.US_ASCII));
    return storedZip(entries);
  }

  /** A safetensors file of a header, with as many bytes of tensors as its last offset says. */
  static byte[] safetensors(byte[] header) {
    Matcher offsets = LAST_OFFSET.matcher(new String(header, StandardCharsets.ISO_8859_1));
    int tensors = 0;
    while (offsets.find()) {
      tensors = Math.max(tensors, Math.min(Integer.parseInt(offsets.group(1)), MOST_TENSOR_BYTES));
    }
    return ByteBuffer.allocate(8 + header.length + tensors)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(header.length)
        .put(header)
        .array();
  }

  /** An activation file of one array, under the names of all. */
  static byte[] npz(byte[] array) throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    for (String name : new String[] {"feat", "mu", "sigma", "s_feat"}) {
      entries.put(name + ".npy", array);
    }
    return storedZip(entries);
  }

  /** A PNG with a text; characters that such a text cannot have are dropped. */
  static byte[] pngWithText(String keyword, byte[] text) {
    String allowed = new String(text, StandardCharsets.UTF_8).replace("\0", "");
    PngText texts = new PngText(List.of(new PngTextEntry(keyword, allowed)));
    return PngWriter.encode(Pixels.black(4, 4, 3), Compression.STORED, texts);
  }

  /** A zip of two images with dataset.json. */
  static byte[] labelledZip(byte[] json) throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("a.png", PICTURE);
    entries.put("b/c.png", PICTURE);
    entries.put("dataset.json", json);
    return storedZip(entries);
  }

  private static byte[] storedZip(Map<String, byte[]> entries) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(out)) {
      for (Map.Entry<String, byte[]> entry : entries.entrySet()) {
        byte[] bytes = entry.getValue();
        CRC32 crc = new CRC32();
        crc.update(bytes);
        ZipEntry stored = new ZipEntry(entry.getKey());
        stored.setMethod(ZipEntry.STORED);
        stored.setSize(bytes.length);
        stored.setCrc(crc.getValue());
        zip.putNextEntry(stored);
        zip.write(bytes);
      }
    }
    return out.toByteArray();
  }

  /** CIFAR-10's archive, every batch of which is the pickle. */
  static byte[] cifar(byte[] pickle) throws IOException {
    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    for (int batch = 1; batch <= 5; batch++) {
      byte[] header = new byte[TAR_BLOCK];
      put(header, 0, "cifar-10-batches-py/data_batch_" + batch);
      put(header, 124, Integer.toOctalString(pickle.length));
      tar.write(header);
      tar.write(pickle);
      tar.write(new byte[(TAR_BLOCK - pickle.length % TAR_BLOCK) % TAR_BLOCK]);
    }
    return gzip(tar.toByteArray());
  }

  private static void put(byte[] header, int at, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(bytes, 0, header, at, bytes.length);
  }

  static byte[] gzip(byte[] content) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (OutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(content);
    }
    return out.toByteArray();
  }

  /** Two items of an IDX file of bytes. */
  static byte[] idx(int type, int... sides) {
    int size = 2 * Arrays.stream(sides).reduce(1, (a, b) -> a * b);
    ByteBuffer idx = ByteBuffer.allocate(4 * (2 + sides.length) + size).putInt(type).putInt(2);
    Arrays.stream(sides).forEach(idx::putInt);
    return idx.array();
  }

  /** The input with a TIFF's first bytes, big-endian where it begins so. */
  static byte[] tiff(byte[] input) {
    return input.length > 0 && input[0] == 'M'
        ? beginning(input, 'M', 'M', 0, 42)
        : beginning(input, 'I', 'I', 42, 0);
  }

  /** The input as a WebP file of its length. */
  static byte[] webp(byte[] input) {
    byte[] bytes = beginning(input, 'R', 'I', 'F', 'F', 0, 0, 0, 0, 'W', 'E', 'B', 'P');
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(4, bytes.length - 8);
    return bytes;
  }

  /** The input with other first bytes. */
  static byte[] beginning(byte[] input, int... magic) {
    byte[] bytes = Arrays.copyOf(input, Math.max(input.length, magic.length));
    for (int i = 0; i < magic.length; i++) {
      bytes[i] = (byte) magic[i];
    }
    return bytes;
  }

  /** A PNG file whose chunks have the checksums they should, as far as there are chunks. */
  static byte[] withChecksums(byte[] input) {
    byte[] bytes = input.length < PNG.length ? PNG.clone() : input.clone();
    System.arraycopy(PNG, 0, bytes, 0, PNG.length);
    ByteBuffer chunks = ByteBuffer.wrap(bytes);
    int at = PNG.length;
    while (at <= bytes.length - CHUNK_OVERHEAD) {
      int length = chunks.getInt(at);
      if (length < 0 || length > bytes.length - CHUNK_OVERHEAD - at) {
        break;
      }
      CRC32 crc = new CRC32();
      crc.update(bytes, at + 4, length + 4);
      chunks.putInt(at + 8 + length, (int) crc.getValue());
      at += CHUNK_OVERHEAD + length;
    }
    return bytes;
  }

  /**
   * A PNG file: two bytes of width, two of height, bits, colour type, interlacing, how many bytes
   * of palette, the palette, and the rows before they are packed.
   */
  static byte[] png(byte[] input) throws IOException {
    ByteBuffer in = ByteBuffer.wrap(Arrays.copyOf(input, Math.max(input.length, 8)));
    ByteBuffer header = ByteBuffer.allocate(13);
    header.putInt(in.getShort() & 0xffff).putInt(in.getShort() & 0xffff);
    header.put(in.get()).put(in.get()).put((byte) 0).put((byte) 0).put(in.get());
    byte[] palette = new byte[Math.min(in.get() & 0xff, in.remaining())];
    in.get(palette);
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (OutputStream deflater = new DeflaterOutputStream(packed)) {
      deflater.write(in.array(), in.position(), in.remaining());
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.write(PNG);
    chunk(out, "IHDR", header.array());
    if (palette.length > 0) {
      chunk(out, "PLTE", palette);
    }
    chunk(out, "IDAT", packed.toByteArray());
    chunk(out, "IEND", new byte[0]);
    return withChecksums(out.toByteArray());
  }

  private static void chunk(ByteArrayOutputStream out, String type, byte[] content) {
    out.writeBytes(ByteBuffer.allocate(4).putInt(content.length).array());
    out.writeBytes(type.getBytes(StandardCharsets.US_ASCII));
    out.writeBytes(content);
    out.writeBytes(new byte[4]);
  }

  /** Deletes a folder of files. */
  static void delete(Path folder) {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(folder);
    } catch (IOException e) {
      System.err.println("fuzz: " + folder + " stays: " + e);
    }
  }
}
