package org.relaydiffusion.diffusion.data;

/**
 * A file inside a zip archive, as the archive's directory describes it. The sizes are claims that
 * {@link ZipContents#read} checks.
 *
 * @param name its path inside the archive, with slashes
 * @param method 0 stored, 8 deflated
 * @param crc the checksum of its bytes
 * @param packed how many bytes it takes in the archive
 * @param size how many bytes it has
 * @param header where its own header lies in the archive
 * @param limit where the next member or the directory begins: its bytes end before that
 */
public record ZipMember(
    String name, int method, int crc, long packed, long size, long header, long limit) {
  static final int STORED = 0;
  static final int DEFLATED = 8;

  ZipMember withLimit(long nextHeader) {
    return new ZipMember(name, method, crc, packed, size, header, nextHeader);
  }

  /** Whether it stands for a folder. */
  boolean isFolder() {
    return name.endsWith("/");
  }
}
