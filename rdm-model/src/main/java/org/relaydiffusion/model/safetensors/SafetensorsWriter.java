// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.safetensors;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.torch.TensorData;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.json.JsonFactory;

/**
 * Writes safetensors files that any reader of the format opens. The header lists the tensors in the
 * order given; their bytes lie by element size, largest first (so that each begins aligned, without
 * gaps, which the format forbids), and from a multiple of 64 bytes on.
 */
public final class SafetensorsWriter {
  private static final int DATA_ALIGNMENT = 64;
  private static final JsonFactory JSON = new JsonFactory();

  private SafetensorsWriter() {}

  /**
   * Writes tensors that lie in memory, whole or not at all.
   *
   * @param target the file, replaced if it exists
   * @param tensors with any strides; they are written densely, in row-major order
   * @param metadata the header's {@code __metadata__}; left out when empty
   * @throws FileException naming the target, when it cannot be written
   */
  public static void write(
      Path target, Map<String, TensorData> tensors, Map<String, String> metadata) {
    Map<String, TensorSource> sources = new LinkedHashMap<>();
    tensors.forEach((name, data) -> sources.put(name, TensorSource.of(data)));
    writeSources(target, sources, metadata);
  }

  /**
   * As {@link #write}, for tensors that are made while they are written.
   *
   * @throws FileException naming the target, when it cannot be written, or when a source hands out
   *     more or fewer bytes than its shape asks for
   */
  public static void writeSources(
      Path target, Map<String, TensorSource> tensors, Map<String, String> metadata) {
    if (tensors.containsKey("__metadata__")) {
      throw new FileException(target, "no tensor may be named '__metadata__'");
    }
    List<Map.Entry<String, TensorSource>> layout = new ArrayList<>(tensors.entrySet());
    layout.sort(
        Comparator.comparingInt(
            (Map.Entry<String, TensorSource> e) -> -e.getValue().dtype().byteSize()));
    byte[] header = header(target, tensors, layout, metadata);
    AtomicFile.write(
        target,
        out -> {
          writeFully(out, ByteBuffer.wrap(header));
          for (Map.Entry<String, TensorSource> e : layout) {
            long before = out.position();
            e.getValue().forEachChunk(chunk -> writeFully(out, chunk.asByteBuffer()));
            long written = out.position() - before;
            if (written != byteSize(target, e.getKey(), e.getValue())) {
              throw new IOException(
                  "tensor '%s' gave %s bytes, expected %s"
                      .formatted(
                          Printable.of(e.getKey()),
                          written,
                          byteSize(target, e.getKey(), e.getValue())));
            }
          }
        });
  }

  private static byte[] header(
      Path target,
      Map<String, TensorSource> tensors,
      List<Map.Entry<String, TensorSource>> layout,
      Map<String, String> metadata) {
    Map<String, Long> begins = new HashMap<>();
    long at = 0;
    for (Map.Entry<String, TensorSource> e : layout) {
      begins.put(e.getKey(), at);
      at = Math.addExact(at, byteSize(target, e.getKey(), e.getValue()));
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(new byte[8]);
    try (JsonGenerator json = JSON.createGenerator(ObjectWriteContext.empty(), out)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectPropertyStart("__metadata__");
        metadata.forEach(json::writeStringProperty);
        json.writeEndObject();
      }
      tensors.forEach((name, source) -> {
        long begin = begins.getOrDefault(name, 0L);
        json.writeObjectPropertyStart(name);
        json.writeStringProperty("dtype", source.dtype().safetensorsName());
        json.writeName("shape");
        writeLongs(json, source.shape());
        json.writeName("data_offsets");
        writeLongs(json, begin, begin + byteSize(target, name, source));
        json.writeEndObject();
      });
      json.writeEndObject();
    } catch (JacksonException e) {
      throw new FileException(
          target, "a name cannot be written: " + Printable.of(e.getOriginalMessage()), e);
    }
    while (out.size() % DATA_ALIGNMENT != 0) {
      out.write(' ');
    }
    byte[] bytes = out.toByteArray();
    if (bytes.length - 8 > SafetensorsHeader.LONGEST) {
      throw new FileException(
          target, "the safetensors header would take more than " + SafetensorsHeader.LONGEST);
    }
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(0, bytes.length - 8L);
    return bytes;
  }

  private static void writeLongs(JsonGenerator json, long... values) {
    json.writeArray(values, 0, values.length);
  }

  private static long byteSize(Path target, String name, TensorSource source) {
    try {
      long bytes = source.dtype().byteSize();
      for (long s : source.shape()) {
        bytes = Math.multiplyExact(bytes, s);
      }
      return bytes;
    } catch (ArithmeticException e) {
      throw new FileException(
          target,
          "tensor '%s' of sizes %s is larger than any file"
              .formatted(Printable.of(name), Arrays.toString(source.shape())),
          e);
    }
  }

  private static void writeFully(FileChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }
}
