// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EventFileTest {
  @TempDir private Path folder;

  /** The bytes of a file version event, whose checksums were computed by TensorFlow's rules. */
  @Test
  void theRecordsAreFramedAndChecked() throws IOException {
    new EventFile(folder, 0).close();

    byte[] file = Files.readAllBytes(onlyFile());
    ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    assertThat(bytes.getLong()).isEqualTo(24);
    // masked_crc32c of the length 24 as eight bytes, well known from every event file there is.
    assertThat(HexFormat.of().formatHex(file, 8, 12)).isEqualTo(hex(maskedCrc(file, 0, 8)));
    assertThat(new String(file, 12, 24, StandardCharsets.ISO_8859_1)).endsWith("brain.Event:2");
    assertThat(HexFormat.of().formatHex(file, 36, 40)).isEqualTo(hex(maskedCrc(file, 12, 24)));
    assertThat(file).hasSize(40);
  }

  @Test
  void numbersAndPicturesAreEvents() throws IOException {
    try (EventFile events = new EventFile(folder, 12.5)) {
      events.scalars(300, 13, Map.of("Loss/loss", 0.25));
      events.image(300, 13, "fakes", 40, 20, 3, new byte[] {1, 2, 3});
    }

    List<byte[]> records = records(Files.readAllBytes(onlyFile()));
    assertThat(onlyFile().getFileName().toString()).startsWith("events.out.tfevents.0000000012.");
    assertThat(records).hasSize(3);
    // wall_time 13.0, step 300, summary { value { tag, simple_value 0.25 } }
    assertThat(HexFormat.of().formatHex(records.get(1)))
        .isEqualTo(
            "09"
                + "0000000000002a40"
                + "10ac02"
                + "2a12"
                + "0a10"
                + "0a09"
                + HexFormat.of().formatHex("Loss/loss".getBytes(StandardCharsets.UTF_8))
                + "15"
                + "0000803e");
    // image { height 20, width 40, colorspace 3, encoded 01 02 03 }
    assertThat(HexFormat.of().formatHex(records.get(2)))
        .endsWith(
            "0a05"
                + HexFormat.of().formatHex("fakes".getBytes(StandardCharsets.UTF_8))
                + "220b"
                + "0814"
                + "1028"
                + "1803"
                + "2203010203");
  }

  private Path onlyFile() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.toList().getFirst();
    }
  }

  private static List<byte[]> records(byte[] file) {
    List<byte[]> records = new ArrayList<>();
    ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      byte[] data = new byte[(int) bytes.getLong()];
      bytes.getInt();
      bytes.get(data).getInt();
      records.add(data);
    }
    return records;
  }

  private static String hex(int littleEndian) {
    return HexFormat.of()
        .formatHex(
            ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(littleEndian).array());
  }

  /** CRC-32C bit by bit (Castagnoli, reflected 0x82f63b78), masked as TFRecords are. */
  private static int maskedCrc(byte[] bytes, int from, int length) {
    int crc = ~0;
    for (int i = from; i < from + length; i++) {
      crc ^= bytes[i] & 0xff;
      for (int bit = 0; bit < 8; bit++) {
        crc = crc >>> 1 ^ ((crc & 1) == 0 ? 0 : 0x82f63b78);
      }
    }
    crc = ~crc;
    return (crc >>> 15 | crc << 17) + 0xa282ead8;
  }
}
