package org.relaydiffusion.diffusion.data;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.diffusion.image.PictureBudget;
import org.relaydiffusion.io.MappedFile;

/**
 * The files inside a mapped zip archive, stored or deflated. No size that the archive claims is
 * believed: members lie apart from one another inside the file, and none unpacks to more bytes than
 * its reader allows. May be read by several threads at once.
 */
public final class ZipContents implements AutoCloseable {
  private static final long LOCAL_RECORD = 0x04034b50L;
  private static final int LOCAL_BYTES = 30;
  private static final int ENCRYPTED = 1;

  /** Deflate makes at most 1032 bytes of one. */
  private static final long MOST_UNPACKED = 1032;

  private final MappedFile file;
  private final List<ZipMember> members;

  private ZipContents(MappedFile file, List<ZipMember> members) {
    this.file = file;
    this.members = members;
  }

  /**
   * Maps an archive and reads its directory.
   *
   * @throws FileException when it is missing or no zip; for members that are encrypted, packed by
   *     another method, named twice, named outside the archive, or that overlap
   */
  public static ZipContents open(Path path) {
    MappedFile file = MappedFile.open(path);
    try {
      List<ZipMember> members =
          file.reading(() -> ZipDirectory.read(file)).stream()
              .filter(m -> !m.isFolder())
              .toList();
      return new ZipContents(file, members);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** The files in the archive's order, without folders. */
  public List<ZipMember> members() {
    return members;
  }

  /** What messages call a member: its name behind the archive's. */
  public Path nameOf(ZipMember member) {
    try {
      return file.path().resolve(Printable.of(member.name()));
    } catch (InvalidPathException e) {
      // Some systems allow less in a name than a zip does.
      return file.path();
    }
  }

  /**
   * Reads a member and checks its checksum.
   *
   * @param mostBytes more than these are not read
   * @throws FileException when it has more bytes, or other bytes than the archive claims
   */
  public byte[] read(ZipMember member, int mostBytes) {
    if (member.size() > mostBytes) {
      throw bad(
          member, "has %s bytes, but at most %s are read".formatted(member.size(), mostBytes));
    }
    if (member.size() > MOST_UNPACKED * member.packed()) {
      throw bad(
          member,
          "claims to unpack to %s bytes, more than its %s bytes can hold"
              .formatted(member.size(), member.packed()));
    }
    if (member.size() > PictureBudget.FREE_MEMBER_BYTES
        && member.size() > member.packed() * PictureBudget.MOST_UNPACKED_A_BYTE) {
      throw bad(
          member,
          "claims to unpack %s bytes to %s: above %s bytes it may unpack to at most %s times as many"
              .formatted(
                  member.packed(),
                  member.size(),
                  PictureBudget.FREE_MEMBER_BYTES,
                  PictureBudget.MOST_UNPACKED_A_BYTE));
    }
    // Not above mostBytes times 2 even when deflate made it longer, which it does by little.
    if (member.packed() > 2L * mostBytes || member.packed() > Integer.MAX_VALUE - 8) {
      throw bad(
          member,
          "takes %s bytes of the file to hold %s".formatted(member.packed(), member.size()));
    }
    byte[] packed =
        file.reading(
            () -> file.bytesOnce(dataStart(member), (int) member.packed(), member.name()));
    byte[] bytes = member.method() == ZipMember.STORED ? packed : inflate(member, packed);
    CRC32 crc = new CRC32();
    crc.update(bytes);
    if ((int) crc.getValue() != member.crc()) {
      throw bad(
          member,
          "is damaged: it has the checksum %08x, but %08x was written"
              .formatted(crc.getValue(), member.crc()));
    }
    return bytes;
  }

  private long dataStart(ZipMember member) {
    long at = member.header();
    String what = Printable.of(member.name());
    boolean agree =
        file.u32(at, what) == LOCAL_RECORD
            && file.u16(at + 8, what) == member.method()
            && (file.u16(at + 6, what) & ENCRYPTED) == 0;
    if (!agree) {
      throw bad(member, "says one thing in the zip's directory, another at its bytes");
    }
    long start = at + LOCAL_BYTES + file.u16(at + 26, what) + file.u16(at + 28, what);
    if (member.packed() > member.limit() - start) {
      throw bad(member, "reaches into what follows it in the zip");
    }
    return start;
  }

  private byte[] inflate(ZipMember member, byte[] packed) {
    byte[] bytes = new byte[(int) member.size()];
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(packed);
      int at = 0;
      while (at < bytes.length) {
        int count = inflater.inflate(bytes, at, bytes.length - at);
        if (count == 0) {
          break;
        }
        at += count;
      }
      boolean whole = at == bytes.length && inflater.inflate(new byte[1]) == 0;
      if (!whole || !inflater.finished()) {
        throw bad(member, "does not unpack to the %s bytes that it claims".formatted(bytes.length));
      }
      return bytes;
    } catch (DataFormatException e) {
      throw new FileException(nameOf(member), "is damaged: its packed bytes are not deflate's", e);
    } finally {
      inflater.end();
    }
  }

  private FileException bad(ZipMember member, String what) {
    return new FileException(nameOf(member), what);
  }

  /** Unmaps the archive; no thread may be reading. Closing twice is allowed. */
  @Override
  public void close() {
    file.close();
  }
}
