// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Locale;
import java.util.Map;
import java.util.zip.CRC32C;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;

/**
 * A file that TensorBoard reads while it grows: TFRecords (length, its checksum, data, its
 * checksum), each an {@code Event} message of TensorFlow's event.proto.
 *
 * <p>A resumed run creates another file beside the old ones; TensorBoard joins them.
 */
final class EventFile implements AutoCloseable {
  private static final int CRC_MASK = 0xa282ead8;
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int BYTES = 2;
  private static final int FIXED32 = 5;

  private final Path file;
  // Not a FileChannel, which an interrupt of the training thread would close permanently.
  private final OutputStream out;

  /**
   * Creates a file in {@code folder}, named after the second of {@code now} as TensorBoard expects.
   */
  EventFile(Path folder, double now) {
    file =
        folder.resolve(
            String.format(
                Locale.ROOT,
                "events.out.tfevents.%010d.rdm.%d",
                (long) now,
                ProcessHandle.current().pid()));
    try {
      InputFile.check(file);
      out = Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      Message event = new Message();
      event.fixed64(1, Double.doubleToLongBits(now));
      event.bytes(3, "brain.Event:2".getBytes(StandardCharsets.UTF_8));
      append(event);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  /**
   * Appends scalars.
   *
   * @param step in kimg
   * @param now seconds since 1970
   */
  void scalars(long step, double now, Map<String, Double> values) {
    Message summary = new Message();
    values.forEach((tag, value) -> {
      Message one = new Message();
      one.bytes(1, tag.getBytes(StandardCharsets.UTF_8));
      one.fixed32(2, Float.floatToIntBits(value.floatValue()));
      summary.message(1, one);
    });
    event(step, now, summary);
  }

  /** Appends an image with 1 or 3 {@code channels}, encoded as PNG. */
  void image(long step, double now, String tag, int width, int height, int channels, byte[] png) {
    Message image = new Message();
    image.varint(1, height);
    image.varint(2, width);
    image.varint(3, channels);
    image.bytes(4, png);
    Message one = new Message();
    one.bytes(1, tag.getBytes(StandardCharsets.UTF_8));
    one.message(4, image);
    Message summary = new Message();
    summary.message(1, one);
    event(step, now, summary);
  }

  private void event(long step, double now, Message summary) {
    Message event = new Message();
    event.fixed64(1, Double.doubleToLongBits(now));
    event.varint(2, step);
    event.message(5, summary);
    try {
      append(event);
    } catch (IOException e) {
      throw failed(e);
    }
  }

  private void append(Message event) throws IOException {
    byte[] data = event.out.toByteArray();
    ByteBuffer record =
        ByteBuffer.allocate(data.length + 16).order(ByteOrder.LITTLE_ENDIAN).putLong(data.length);
    record.putInt(masked(record.array(), 8)).put(data).putInt(masked(data, data.length));
    out.write(record.array(), 0, record.position());
  }

  private static int masked(byte[] bytes, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length);
    return Integer.rotateRight((int) crc.getValue(), 15) + CRC_MASK;
  }

  private FileException failed(IOException e) {
    return new FileException(file, "cannot be written: " + AtomicFile.reason(e), e);
  }

  @Override
  public void close() {
    try {
      out.close();
    } catch (IOException e) {
      throw failed(e);
    }
  }

  /** Builds a protocol buffer message. */
  private static final class Message {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    void varint(int field, long value) {
      key(field, VARINT);
      raw(value);
    }

    void fixed64(int field, long bits) {
      key(field, FIXED64);
      out.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(bits).array());
    }

    void fixed32(int field, int bits) {
      key(field, FIXED32);
      out.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(bits).array());
    }

    void bytes(int field, byte[] value) {
      key(field, BYTES);
      raw(value.length);
      out.writeBytes(value);
    }

    void message(int field, Message value) {
      bytes(field, value.out.toByteArray());
    }

    private void key(int field, int type) {
      raw((long) field << 3 | type);
    }

    private void raw(long value) {
      long rest = value;
      while ((rest & ~0x7fL) != 0) {
        out.write((int) ((rest & 0x7f) | 0x80));
        rest >>>= 7;
      }
      out.write((int) rest);
    }
  }
}
