// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io.zip;

/**
 * A file inside a zip archive, as described by the directory of the archive. The sizes are
 * untrusted; {@link ZipArchive} checks them before reading.
 *
 * @param name its path inside the archive, with slashes
 * @param flags the format's flags, such as 1 for encryption
 * @param method 0 stored, 8 deflated
 * @param crc the CRC-32 of its content
 * @param packed size in the archive in bytes
 * @param size of its content in bytes
 * @param header offset of its header in the archive
 * @param limit offset of the next entry or the directory, before which its data ends
 */
public record ZipMember(
    String name, int flags, int method, int crc, long packed, long size, long header, long limit) {
  static final int STORED = 0;
  static final int DEFLATED = 8;

  ZipMember withLimit(long nextHeader) {
    return new ZipMember(name, flags, method, crc, packed, size, header, nextHeader);
  }

  /** Returns whether its content is stored without compression. */
  public boolean isStored() {
    return method == STORED;
  }

  /** Returns whether it represents a folder. */
  boolean isFolder() {
    return name.endsWith("/");
  }
}
