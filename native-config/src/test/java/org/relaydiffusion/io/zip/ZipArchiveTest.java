// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io.zip;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.FileException;

class ZipArchiveTest {
  private static final int CENTRAL_METHOD = 10;
  private static final int CENTRAL_CRC = 16;
  private static final int CENTRAL_PACKED = 20;
  private static final int CENTRAL_SIZE = 24;
  private static final int CENTRAL_HEADER = 42;
  private static final byte[] TEXT =
      "some text, some text, some text".getBytes(StandardCharsets.UTF_8);

  @TempDir Path folder;

  @Test
  void storedAndDeflatedMembersAreRead() throws IOException {
    byte[] zip = zip(List.of("a/", "a/ü.txt", "b"), ZipEntry.DEFLATED);
    try (ZipArchive contents = ZipArchive.open(write(zip))) {
      assertThat(contents.members()).extracting(ZipMember::name).containsExactly("a/ü.txt", "b");
      assertThat(contents.read(contents.members().getFirst(), 100)).isEqualTo(TEXT);
    }
    try (ZipArchive contents = ZipArchive.open(write(zip(List.of("b"), ZipEntry.STORED)))) {
      assertThat(contents.read(contents.members().getFirst(), 100)).isEqualTo(TEXT);
      assertThatThrownBy(() -> contents.read(contents.members().getFirst(), 30))
          .hasMessageEndingWith("b: has 31 bytes, but the maximum is 30");
    }
  }

  @Test
  void aDirectoryOf64BitsIsRead() throws IOException {
    // Sizes and offset in the extra field, the directory's place in a record of its own.
    byte[] name = {'x'};
    ByteBuffer zip = little(500);
    zip.putInt(0x04034b50).putShort((short) 45).putShort((short) 0).putShort((short) 0).putInt(0);
    zip.putInt(crc(TEXT)).putInt(-1).putInt(-1).putShort((short) 1).putShort((short) 20).put(name);
    zip.putShort((short) 1).putShort((short) 16).putLong(TEXT.length).putLong(TEXT.length);
    zip.put(TEXT);
    int directory = zip.position();
    zip.putInt(0x02014b50).putShort((short) 45).putShort((short) 45).putInt(0).putInt(0);
    zip.putInt(crc(TEXT)).putInt(-1).putInt(-1).putShort((short) 1).putShort((short) 32);
    zip.putShort((short) 0).putInt(0).putInt(0).putInt(-1).put(name);
    zip.putShort((short) 9).putShort((short) 0).putShort((short) 1).putShort((short) 24);
    zip.putLong(TEXT.length).putLong(TEXT.length).putLong(0);
    int end = zip.position();
    zip.putInt(0x06064b50).putLong(44).putShort((short) 45).putShort((short) 45).putLong(0);
    zip.putLong(1).putLong(1).putLong(end - directory).putLong(directory);
    zip.putInt(0x07064b50).putInt(0).putLong(end).putInt(1);
    zip.putInt(0x06054b50).putInt(0).putInt(-1).putInt(-1).putInt(-1).putShort((short) 0);
    byte[] whole = new byte[zip.flip().remaining()];
    zip.get(whole);
    try (ZipArchive contents = ZipArchive.open(write(whole))) {
      assertThat(contents.read(contents.members().getFirst(), 100)).isEqualTo(TEXT);
    }
    ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).putLong(end + 32, Long.MAX_VALUE);
    assertRefused(whole).hasMessageContaining("declares 9223372036854775807 entries");
    ByteBuffer.wrap(whole).order(ByteOrder.LITTLE_ENDIAN).putLong(end + 40, -1);
    assertRefused(whole).hasMessageContaining("is outside the file");
  }

  @ParameterizedTest
  @ValueSource(strings = {"../x.png", "a/../x", "/x.png", "..", "a/..", ""})
  void namesThatLeadOutsideAreRefused(String name) throws IOException {
    assertRefused(zip(List.of(name), ZipEntry.STORED))
        .hasMessageContaining("'" + name + "' points outside the archive");
  }

  @Test
  void backSlashesAreFoldersAndColonsAreLetters() throws IOException {
    Path file = write(zip(List.of("a\\b.png", "7:30.png"), ZipEntry.STORED));
    try (ZipArchive contents = ZipArchive.open(file)) {
      assertThat(contents.members())
          .extracting(ZipMember::name)
          .containsExactly("a/b.png", "7:30.png");
    }
    assertRefused(zip(List.of("..\\b.png"), ZipEntry.STORED))
        .hasMessageContaining("'../b.png' points outside the archive");
    assertRefused(zip(List.of("a\\b.png", "a/b.png"), ZipEntry.STORED))
        .hasMessageContaining("is a zip with two entries 'a/b.png'");
  }

  @Test
  void aLargeMemberThatIsAlmostNothingPackedIsRefused() throws IOException {
    int size = (int) ZipArchive.FREE_MEMBER_BYTES + 1;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(out)) {
      zip.putNextEntry(new ZipEntry("a"));
      zip.write(new byte[size]);
    }
    assertUnreadable(out.toByteArray(), 1 << 29)
        .hasMessageContaining(
            "bytes for "
                + size
                + ": above 67108864 bytes, the maximum"
                + " compression ratio is 64");
  }

  @Test
  void twoMembersOfOneNameAreRefused() throws IOException {
    byte[] zip = zip(List.of("aa.png", "ab.png"), ZipEntry.STORED);
    replaceAll(zip, "ab.png", "aa.png");
    assertRefused(zip).hasMessageContaining("is a zip with two entries 'aa.png'");
  }

  @Test
  void membersOnTheSameBytesAreRefused() throws IOException {
    byte[] zip = zip(List.of("a", "b", "c"), ZipEntry.STORED);
    ByteBuffer bytes = ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN);
    int b = central(zip, 1);
    bytes.putInt(b + CENTRAL_HEADER, bytes.getInt(central(zip, 0) + CENTRAL_HEADER));
    assertRefused(zip).hasMessageContaining("overlaps the following data");
    bytes.putInt(b + CENTRAL_HEADER, bytes.getInt(central(zip, 0) + CENTRAL_HEADER) + 5);
    assertRefused(zip).hasMessageContaining("overlaps the following data");
  }

  @Test
  void claimsThatTheFileCannotHoldAreRefused() throws IOException {
    byte[] zip = zip(List.of("a"), ZipEntry.STORED);
    ByteBuffer bytes = ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN);
    int a = central(zip, 0);
    bytes.putInt(a + CENTRAL_SIZE, 1000);
    assertRefused(zip).hasMessageContaining("occupies 31 bytes in the file but declares 1000");
    bytes.putInt(a + CENTRAL_PACKED, 1000);
    assertRefused(zip).hasMessageContaining("overlaps the following data");
    bytes.putInt(a + CENTRAL_SIZE, 0xffff_fffe).putInt(a + CENTRAL_PACKED, 0xffff_fffe);
    assertRefused(zip).hasMessageContaining("overlaps the following data");
    bytes.putInt(a + CENTRAL_SIZE, -1);
    assertRefused(zip).hasMessageContaining("lacks its 64-bit sizes");
  }

  @Test
  void encryptionAndForeignPackingsAreRefused() throws IOException {
    byte[] zip = zip(List.of("a"), ZipEntry.STORED);
    int a = central(zip, 0);
    zip[a + CENTRAL_METHOD] = 14;
    assertRefused(zip).hasMessageContaining("'a' has compression method 14");
    zip[a + 8] |= 1;
    assertRefused(zip).hasMessageContaining("'a' is encrypted");
  }

  @Test
  void aBombIsRefusedBeforeItUnpacks() throws IOException {
    byte[] zip = zip(List.of("a"), ZipEntry.DEFLATED, new byte[5_000_000]);
    ByteBuffer bytes = ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN);
    int a = central(zip, 0);
    assertUnreadable(zip, 1 << 20)
        .hasMessageContaining("has 5000000 bytes, but the maximum is" + " 1048576");
    bytes.putInt(a + CENTRAL_SIZE, 1000);
    assertUnreadable(zip, 1 << 20).hasMessageContaining("not decompress to the 1000 bytes");
    bytes.putInt(a + CENTRAL_SIZE, 5_000_001);
    assertUnreadable(zip, 1 << 30).hasMessageContaining("not decompress to the 5000001 bytes");
    bytes.putInt(a + CENTRAL_SIZE, 1_000_000_000);
    assertUnreadable(zip, 1 << 30).hasMessageContaining("more than its");
  }

  @Test
  void changedBytesAreSeenByTheirChecksum() throws IOException {
    byte[] zip = zip(List.of("a"), ZipEntry.STORED);
    zip[40] ^= 1;
    assertUnreadable(zip, 100).hasMessageContaining("is damaged: it has the checksum");
    byte[] other = zip(List.of("a"), ZipEntry.STORED);
    other[0] = 'X';
    assertUnreadable(other, 100)
        .hasMessageContaining("has different headers in the zip's" + " directory");
    byte[] longName = zip(List.of("a"), ZipEntry.STORED);
    longName[26] = (byte) 200;
    assertUnreadable(longName, 100).hasMessageContaining("overlaps the following data");
    byte[] crc = zip(List.of("a"), ZipEntry.DEFLATED);
    crc[central(crc, 0) + CENTRAL_CRC] ^= 1;
    assertUnreadable(crc, 100).hasMessageContaining("checksum");
  }

  @ParameterizedTest
  @ValueSource(ints = {ZipEntry.STORED, ZipEntry.DEFLATED})
  void membersOfAnySizeAreStreamedAndTheirEndsReadAlone(int method) throws IOException {
    byte[] content = new byte[700_000];
    Random random = new Random(5);
    for (int i = 0; i < content.length; i++) {
      content[i] = (byte) random.nextInt(20);
    }
    byte[] zip = zip(List.of("a", "b"), method, content);
    try (ZipArchive archive = ZipArchive.open(write(zip))) {
      ZipMember last = archive.members().getLast();
      assertThat(last.isStored()).isEqualTo(method == ZipEntry.STORED);
      assertThat(archive.stream(last).readAllBytes()).isEqualTo(content);
      assertThat(archive.start(last, 100)).isEqualTo(Arrays.copyOf(content, 100));
      assertThat(archive.start(last, 1 << 20)).isEqualTo(content);
      if (last.isStored()) {
        assertThat(archive.end(last, 9))
            .isEqualTo(Arrays.copyOfRange(content, content.length - 9, content.length));
        assertThat(archive.slice(last).byteSize()).isEqualTo(content.length);
        archive.checkCrc(last);
      } else {
        assertThat(archive.end(last, 9)).isEmpty();
        assertThatThrownBy(() -> archive.slice(last))
            .isInstanceOf(FileException.class)
            .hasMessageContaining("b: is compressed, so");
      }
    }
    zip[central(zip, 0) - 20] ^= 0x55;
    try (ZipArchive archive = ZipArchive.open(write(zip))) {
      ZipMember last = archive.members().getLast();
      if (last.isStored()) {
        assertThatThrownBy(() -> archive.checkCrc(last))
            .hasMessageContaining("is damaged: it has the checksum");
      } else {
        // Whoever streams compares the checksum, unless unpacking fails before.
        assertThatThrownBy(() -> archive.read(last, 1 << 20)).isInstanceOf(FileException.class);
      }
    }
  }

  @Test
  void theTwoHeadersOfAMemberAgree() throws IOException {
    byte[] zip = zip(List.of("aa.png"), ZipEntry.STORED);
    byte[] name = zip.clone();
    name[31] = 'b';
    assertAtItsBytes(name);
    byte[] size = zip.clone();
    size[22] ^= 1;
    assertAtItsBytes(size);
    byte[] crc = zip.clone();
    crc[14] ^= 1;
    assertAtItsBytes(crc);
  }

  private void assertAtItsBytes(byte[] zip) throws IOException {
    try (ZipArchive archive = ZipArchive.open(write(zip))) {
      assertThatThrownBy(() -> archive.read(archive.members().getFirst(), 100))
          .isInstanceOf(FileException.class)
          .hasMessageEndingWith("has different headers in the zip's directory and before its data");
    }
  }

  @Test
  void namesWithoutTheFlagAreCodePage437AndCommentsUtf8() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(out, StandardCharsets.ISO_8859_1)) {
      zip.setComment("caf\u00c3\u00a9");
      zip.putNextEntry(new ZipEntry("caf\u0082.png"));
    }
    try (ZipArchive archive = ZipArchive.open(write(out.toByteArray()))) {
      assertThat(archive.members()).extracting(ZipMember::name).containsExactly("caf\u00e9.png");
      assertThat(archive.comment()).isEqualTo("caf\u00e9");
    }
  }

  @Test
  void filesCutAnywhereAreRefused() throws IOException {
    byte[] zip = zip(List.of("a", "b"), ZipEntry.STORED);
    for (int length = 0; length < zip.length; length++) {
      assertRefused(Arrays.copyOf(zip, length)).hasMessageMatching("[^\n]*");
    }
  }

  @Test
  void flippedBitsNeverEscapeAsAnotherException() throws IOException {
    byte[] zip = zip(List.of("a/b", "c"), ZipEntry.DEFLATED);
    Random random = new Random(3);
    for (int round = 0; round < 1000; round++) {
      byte[] flipped = zip.clone();
      for (int i = 0; i < 1 + round % 3; i++) {
        flipped[random.nextInt(zip.length)] ^= (byte) (1 << random.nextInt(8));
      }
      Path file = write(flipped);
      try (ZipArchive contents = ZipArchive.open(file)) {
        for (ZipMember member : contents.members()) {
          assertThat(contents.read(member, 1000)).isEqualTo(TEXT);
        }
      } catch (FileException e) {
        assertThat(e).hasMessageStartingWith(file.toString()).hasMessageMatching("[^\n]*");
      }
    }
  }

  private AbstractThrowableAssert<?, ? extends Throwable> assertRefused(byte[] zip)
      throws IOException {
    Path file = write(zip);
    return assertThatThrownBy(() -> ZipArchive.open(file).close())
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(file + ": ");
  }

  private AbstractThrowableAssert<?, ? extends Throwable> assertUnreadable(byte[] zip, int most)
      throws IOException {
    Path file = write(zip);
    try (ZipArchive contents = ZipArchive.open(file)) {
      return assertThatThrownBy(() -> contents.read(contents.members().getFirst(), most))
          .isInstanceOf(FileException.class)
          .hasMessageStartingWith(file.resolve("a") + ": ")
          .hasMessageMatching("[^\n]*");
    }
  }

  private Path write(byte[] zip) throws IOException {
    return Files.write(folder.resolve("some.zip"), zip);
  }

  private static byte[] zip(List<String> names, int method) throws IOException {
    return zip(names, method, TEXT);
  }

  private static byte[] zip(List<String> names, int method, byte[] content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream out = new ZipOutputStream(bytes)) {
      for (String name : names) {
        byte[] data = name.endsWith("/") ? new byte[0] : content;
        ZipEntry entry = new ZipEntry(name);
        if (method == ZipEntry.STORED || data.length == 0) {
          entry.setMethod(ZipEntry.STORED);
          entry.setSize(data.length);
          entry.setCrc(crc(data) & 0xffff_ffffL);
        }
        out.putNextEntry(entry);
        out.write(data);
      }
    }
    return bytes.toByteArray();
  }

  private static int crc(byte[] data) {
    CRC32 crc = new CRC32();
    crc.update(data);
    return (int) crc.getValue();
  }

  private static ByteBuffer little(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Where the directory's record number {@code index} begins. */
  private static int central(byte[] zip, int index) {
    ByteBuffer bytes = ByteBuffer.wrap(zip).order(ByteOrder.LITTLE_ENDIAN);
    int at = bytes.getInt(zip.length - 6);
    for (int i = 0; i < index; i++) {
      at += 46 + bytes.getShort(at + 28) + bytes.getShort(at + 30) + bytes.getShort(at + 32);
    }
    return at;
  }

  private static void replaceAll(byte[] bytes, String from, String to) {
    byte[] old = from.getBytes(StandardCharsets.US_ASCII);
    byte[] fresh = to.getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i + old.length <= bytes.length; i++) {
      if (Arrays.equals(bytes, i, i + old.length, old, 0, old.length)) {
        System.arraycopy(fresh, 0, bytes, i, fresh.length);
      }
    }
  }
}
