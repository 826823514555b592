// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.archive;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.checkpoint.pickle.PickleForm;
import org.relaydiffusion.checkpoint.pickle.PickleWriter;
import org.relaydiffusion.io.StoredZipWriter;
import org.relaydiffusion.model.safetensors.TensorSource;

/** Writes the format of {@code torch.save} since PyTorch 1.6. Tensors are written in chunks. */
public final class TorchZipWriter {
  private static final String ROOT = "archive/";

  private final List<TensorSource> storages = new ArrayList<>();
  private final IdentityHashMap<TensorSource, PickleForm> known = new IdentityHashMap<>();

  private TorchZipWriter() {}

  /**
   * Writes a value that {@code torch.load} can read.
   *
   * @param out positioned at its start, open for writing at any position
   * @param value as for {@link PickleWriter}, with {@link TensorSource} for tensors; one that
   *     occurs twice is stored once
   * @throws RdmException if a value is of an unsupported type
   */
  public static void write(FileChannel out, Object value) throws IOException {
    write(out, value, StoredZipWriter.Limits.FORMAT);
  }

  static void write(FileChannel out, Object value, StoredZipWriter.Limits limits)
      throws IOException {
    TorchZipWriter writer = new TorchZipWriter();
    ByteArrayOutputStream pickle = new ByteArrayOutputStream();
    PickleWriter.write(pickle, PickleWriter.Protocol.TWO, value, writer::lower);
    StoredZipWriter zip = new StoredZipWriter(out, StoredZipWriter.Layout.TORCH, limits);
    zip.add(ROOT + "data.pkl", pickle.toByteArray());
    zip.add(ROOT + "byteorder", "little".getBytes(StandardCharsets.US_ASCII));
    for (int i = 0; i < writer.storages.size(); i++) {
      TensorSource source = writer.storages.get(i);
      zip.add(
          ROOT + "data/" + i,
          TorchForms.byteSize(source),
          sink -> source.forEachChunk(chunk -> sink.accept(bytes(chunk))));
    }
    zip.add(ROOT + "version", "3\n".getBytes(StandardCharsets.US_ASCII));
    zip.finish();
  }

  /** Arrays of types other than byte cannot be wrapped in a byte buffer. */
  private static ByteBuffer bytes(MemorySegment chunk) {
    return chunk.isNative()
        ? chunk.asByteBuffer()
        : ByteBuffer.wrap(chunk.toArray(ValueLayout.JAVA_BYTE));
  }

  private Object lower(Object value) {
    if (!(value instanceof TensorSource source)) {
      throw new RdmException(
          "a %s cannot be written to a checkpoint".formatted(value.getClass().getSimpleName()));
    }
    return known.computeIfAbsent(
        source,
        s -> {
          storages.add(s);
          String key = String.valueOf(storages.size() - 1);
          return TorchForms.tensor(s, TorchForms.storage(s, key));
        });
  }
}
