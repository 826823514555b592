package org.relaydiffusion.io.zip;

import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.io.MappedFile;

/**
 * The files inside a mapped zip archive, stored or deflated. No size that the archive claims is
 * believed: members lie apart from one another inside the file, and none unpacks to more bytes than
 * its reader allows. May be read by several threads at once.
 *
 * <p>Names are plain text with slashes: a back slash is read as a slash, a colon has no meaning,
 * and without the UTF-8 flag the character set is code page 437. Two members of one name are
 * refused, and so are names that lead outside the archive.
 */
public final class ZipArchive implements AutoCloseable {
  /** Up to this size, 2^26 (64 MiB), a member may be packed as tightly as deflate can. */
  public static final long FREE_MEMBER_BYTES = 1L << 26;

  /** Above {@link #FREE_MEMBER_BYTES}, the most bytes a member unpacks to for each packed one. */
  public static final int MOST_UNPACKED_A_BYTE = 64;

  private static final long LOCAL_RECORD = 0x04034b50L;
  private static final int LOCAL_BYTES = 30;
  private static final int SIZES_FOLLOW = 8;
  private static final long IN_EXTRA = 0xffff_ffffL;
  private static final long CHUNK = 256 << 10;

  /** Deflate makes at most 1032 bytes of one. */
  private static final long MOST_UNPACKED = 1032;

  private final MappedFile file;
  private final ZipEnd end;
  private final List<ZipMember> members;

  private ZipArchive(MappedFile file, ZipEnd end, List<ZipMember> members) {
    this.file = file;
    this.end = end;
    this.members = members;
  }

  /**
   * Maps an archive and reads its directory. The caller closes it.
   *
   * @throws FileException when it is missing or no zip; for members that are encrypted, packed by
   *     another method, named twice, named outside the archive, or that overlap
   */
  public static ZipArchive open(Path path) {
    MappedFile file = MappedFile.open(path);
    try {
      return of(file, Integer.MAX_VALUE - 8);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /**
   * As {@link #open}, of a file that is mapped already. It stays its owner's, who closes it in the
   * place of the archive.
   *
   * @param mostMembers an archive with more of them is refused
   */
  public static ZipArchive of(MappedFile file, int mostMembers) {
    return file.reading(() -> {
      ZipEnd end = ZipEnd.find(file, mostMembers);
      List<ZipMember> files =
          ZipDirectory.read(file, end).stream().filter(m -> !m.isFolder()).toList();
      return new ZipArchive(file, end, files);
    });
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

  /** The archive's comment; empty where there is none, or one that is not UTF-8. */
  public String comment() {
    byte[] bytes = file.bytes(end.comment(), (int) (file.size() - end.comment()), "the comment");
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      return "";
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
    checkRatio(member);
    if (member.size() > FREE_MEMBER_BYTES
        && member.size() > member.packed() * MOST_UNPACKED_A_BYTE) {
      throw bad(
          member,
          ("claims to unpack %s bytes to %s: above %s bytes it may unpack to at most %s times as"
                  + " many")
              .formatted(member.packed(), member.size(), FREE_MEMBER_BYTES, MOST_UNPACKED_A_BYTE));
    }
    // Not above mostBytes times 2 even when deflate made it longer, which it does by little.
    if (member.packed() > 2L * mostBytes || member.packed() > Integer.MAX_VALUE - 8) {
      throw bad(
          member,
          "takes %s bytes of the file to hold %s".formatted(member.packed(), member.size()));
    }
    byte[] packed = packed(member, 0, (int) member.packed());
    byte[] bytes = member.isStored() ? packed : inflate(member, packed);
    CRC32 crc = new CRC32();
    crc.update(bytes);
    requireCrc(member, crc.getValue());
    return bytes;
  }

  /**
   * The first bytes of a member, whose checksum is not looked at: enough for a picture's header.
   *
   * @param mostBytes how many, at most
   * @return as many, or as it has or unpacks to
   * @throws FileException when its headers differ
   */
  public byte[] start(ZipMember member, int mostBytes) {
    int wanted = (int) Math.min(mostBytes, member.size());
    // Deflate makes nothing much longer.
    long needed = wanted + (wanted >> 8) + 64L;
    byte[] packed = packed(member, 0, (int) Math.min(member.packed(), needed));
    if (member.isStored()) {
      return Arrays.copyOf(packed, Math.min(wanted, packed.length));
    }
    byte[] bytes = new byte[wanted];
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(packed);
      return Arrays.copyOf(bytes, inflated(inflater, bytes));
    } catch (DataFormatException e) {
      throw notDeflated(member, e);
    } finally {
      inflater.end();
    }
  }

  /**
   * The last bytes of a stored member, whose checksum is not looked at.
   *
   * @param mostBytes how many, at most
   * @return as many, or as it has; none of a deflated one
   * @throws FileException when its headers differ
   */
  public byte[] end(ZipMember member, int mostBytes) {
    int length = member.isStored() ? (int) Math.min(mostBytes, member.size()) : 0;
    return packed(member, member.packed() - length, length);
  }

  /**
   * The bytes of a stored member where they lie: read-only, valid until the file is closed. Their
   * checksum is not looked at; see {@link #checkCrc}.
   *
   * @throws FileException when it is deflated, or its two headers differ
   */
  public MemorySegment slice(ZipMember member) {
    if (!member.isStored()) {
      throw bad(member, "is compressed, but is to be used where it lies");
    }
    return file.slice(dataStart(member), member.size(), Printable.of(member.name()));
  }

  /**
   * Reads a stored member once and compares its checksum.
   *
   * @throws FileException when it is not the one written
   */
  public void checkCrc(ZipMember member) {
    CRC32 sum = new CRC32();
    for (long at = 0; at < member.size(); at += CHUNK) {
      // Copied first: summed where they lie, bytes of a file that was cut would end the process.
      sum.update(packed(member, at, (int) Math.min(CHUNK, member.size() - at)));
    }
    requireCrc(member, sum.getValue());
  }

  /**
   * A stream of a member of any size, which compares nothing: its reader knows how many bytes are
   * to come, and their checksum.
   *
   * @throws FileException when its headers differ, or it claims more than its bytes can be
   */
  public InputStream stream(ZipMember member) {
    checkRatio(member);
    long _ = file.reading(() -> dataStart(member));
    return new MemberStream(this, member);
  }

  /** Bytes of the file that belong to a member, from the first of them on. */
  byte[] packed(ZipMember member, long from, int length) {
    return file.reading(
        () -> file.bytesOnce(dataStart(member) + from, length, Printable.of(member.name())));
  }

  private void checkRatio(ZipMember member) {
    if (member.size() / MOST_UNPACKED > member.packed()) {
      throw bad(
          member,
          "claims to unpack to %s bytes, more than its %s bytes can hold"
              .formatted(member.size(), member.packed()));
    }
  }

  private void requireCrc(ZipMember member, long found) {
    if ((int) found != member.crc()) {
      throw bad(
          member,
          "is damaged: it has the checksum %08x, but %08x was written"
              .formatted(found, member.crc()));
    }
  }

  /** Where a member's bytes begin, when what stands before them agrees with the directory. */
  private long dataStart(ZipMember member) {
    long at = member.header();
    String what = Printable.of(member.name());
    int flags = file.u16(at + 6, what);
    int nameLength = file.u16(at + 26, what);
    long start = at + LOCAL_BYTES + nameLength + file.u16(at + 28, what);
    if (member.packed() > member.limit() - start) {
      throw bad(member, "reaches into what follows it in the zip");
    }
    boolean agree =
        file.u32(at, what) == LOCAL_RECORD
            && file.u16(at + 8, what) == member.method()
            && (flags & ZipDirectory.ENCRYPTED) == 0
            && (flags & SIZES_FOLLOW) == (member.flags() & SIZES_FOLLOW)
            && ZipDirectory.name(file.bytes(at + LOCAL_BYTES, nameLength, what), flags)
                .equals(member.name());
    if (agree && (flags & SIZES_FOLLOW) == 0) {
      long size = file.u32(at + 22, what);
      agree =
          (size == IN_EXTRA || size == member.size())
              && (int) file.u32(at + 14, what) == member.crc();
    }
    if (!agree) {
      throw bad(member, "says one thing in the zip's directory, another at its bytes");
    }
    return start;
  }

  private byte[] inflate(ZipMember member, byte[] packed) {
    byte[] bytes = new byte[(int) member.size()];
    Inflater inflater = new Inflater(true);
    try {
      inflater.setInput(packed);
      boolean whole =
          inflated(inflater, bytes) == bytes.length && inflater.inflate(new byte[1]) == 0;
      if (!whole || !inflater.finished()) {
        throw bad(member, "does not unpack to the %s bytes that it claims".formatted(bytes.length));
      }
      return bytes;
    } catch (DataFormatException e) {
      throw notDeflated(member, e);
    } finally {
      inflater.end();
    }
  }

  /** Unpacks until the array is full or nothing more comes; how many bytes did. */
  private static int inflated(Inflater inflater, byte[] bytes) throws DataFormatException {
    int at = 0;
    while (at < bytes.length) {
      int count = inflater.inflate(bytes, at, bytes.length - at);
      if (count == 0) {
        break;
      }
      at += count;
    }
    return at;
  }

  private FileException notDeflated(ZipMember member, DataFormatException e) {
    return new FileException(nameOf(member), "is damaged: its packed bytes are not deflate's", e);
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
