package org.relaydiffusion.io.zip;

/**
 * A file inside a zip archive, as the archive's directory describes it. The sizes are claims that
 * {@link ZipArchive} checks before it reads.
 *
 * @param name its path inside the archive, with slashes
 * @param flags the format's flags, such as 1 for encryption
 * @param method 0 stored, 8 deflated
 * @param crc the CRC-32 of its bytes
 * @param packed how many bytes it takes in the archive
 * @param size how many bytes it has
 * @param header where its own header lies in the archive
 * @param limit where the next member or the directory begins: its bytes end before that
 */
public record ZipMember(
    String name, int flags, int method, int crc, long packed, long size, long header, long limit) {
  static final int STORED = 0;
  static final int DEFLATED = 8;

  ZipMember withLimit(long nextHeader) {
    return new ZipMember(name, flags, method, crc, packed, size, header, nextHeader);
  }

  /** Whether its bytes lie in the archive as they are. */
  public boolean isStored() {
    return method == STORED;
  }

  /** Whether it stands for a folder. */
  boolean isFolder() {
    return name.endsWith("/");
  }
}
