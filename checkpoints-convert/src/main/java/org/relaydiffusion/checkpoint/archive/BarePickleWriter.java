// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.archive;

import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.checkpoint.pickle.GlobalName;
import org.relaydiffusion.checkpoint.pickle.PickleForm;
import org.relaydiffusion.checkpoint.pickle.PickleWriter;
import org.relaydiffusion.checkpoint.pickle.PyNone;
import org.relaydiffusion.model.safetensors.TensorSource;

/**
 * Writes tensors like Python's {@code pickle.dump}: one pickle, in which the storage of each tensor
 * is a byte string with a legacy {@code torch.save} stream. Tensors are written in chunks.
 */
public final class BarePickleWriter {
  private static final GlobalName LOAD_FROM_BYTES =
      new GlobalName("torch.storage", "_load_from_bytes");

  private int storages;

  private BarePickleWriter() {}

  /**
   * Writes a value that {@code pickle.load} can read.
   *
   * @param out positioned at its start; left open
   * @param value as for {@link PickleWriter}, with {@link TensorSource} for tensors
   * @throws RdmException if a value is of an unsupported type
   */
  public static void write(FileChannel out, Object value) throws IOException {
    OutputStream stream = new BufferedOutputStream(Channels.newOutputStream(out), 1 << 16);
    PickleWriter.write(stream, PickleWriter.Protocol.FOUR, value, new BarePickleWriter()::lower);
    stream.flush();
  }

  private Object lower(Object value) {
    if (!(value instanceof TensorSource source)) {
      throw new RdmException(
          "a %s cannot be written to a checkpoint".formatted(value.getClass().getSimpleName()));
    }
    byte[] head = head(source, String.valueOf(storages++));
    long size = TorchForms.byteSize(source);
    PickleForm bytes =
        new PickleForm.Bytes(
            head.length + size,
            out -> {
              out.write(head);
              body(out, source, size);
            });
    return TorchForms.tensor(source, new PickleForm.Call(LOAD_FROM_BYTES, List.of(bytes)));
  }

  private static void body(OutputStream out, TensorSource source, long size) throws IOException {
    long[] written = {0};
    source.forEachChunk(chunk -> {
      out.write(chunk.toArray(ValueLayout.JAVA_BYTE));
      written[0] += chunk.byteSize();
    });
    if (written[0] != size) {
      throw new IOException("a tensor supplied %s bytes, expected %s".formatted(written[0], size));
    }
  }

  /** Writes everything in the stream except for the elements, see {@link LegacyStream}. */
  private static byte[] head(TensorSource source, String key) {
    Map<String, Object> sizes = new LinkedHashMap<>();
    sizes.put("short", 2);
    sizes.put("int", 4);
    sizes.put("long", 4);
    Map<String, Object> machine = new LinkedHashMap<>();
    machine.put("protocol_version", LegacyStream.VERSION);
    machine.put("little_endian", true);
    machine.put("type_sizes", sizes);
    ByteArrayOutputStream head = new ByteArrayOutputStream();
    pickle(head, LegacyStream.MAGIC);
    pickle(head, LegacyStream.VERSION);
    pickle(head, machine);
    pickle(head, TorchForms.storage(source, key, PyNone.NONE));
    pickle(head, List.of(key));
    ByteBuffer count = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    head.writeBytes(count.putLong(TorchForms.numel(source)).array());
    return head.toByteArray();
  }

  private static void pickle(ByteArrayOutputStream out, @Nullable Object value) {
    try {
      PickleWriter.write(out, PickleWriter.Protocol.TWO, value);
    } catch (IOException e) {
      throw new IllegalStateException("memory cannot be written to", e);
    }
  }
}
