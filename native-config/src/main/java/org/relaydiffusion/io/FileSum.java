// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.relaydiffusion.FileException;

/** Computes the SHA-256 of a file, as printed by {@code sha256sum}. */
public final class FileSum {
  private static final int BLOCK = 1 << 20;

  private FileSum() {}

  /**
   * Reads the whole file.
   *
   * @return 64 hexadecimal digits
   * @throws FileException if it cannot be read
   */
  public static String sha256(Path file) {
    try (FileChannel in = InputFile.channel(file)) {
      MessageDigest digest = digest();
      ByteBuffer block = ByteBuffer.allocate(BLOCK);
      while (in.read(block.clear()) >= 0) {
        digest.update(block.flip());
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw new FileException(file, "cannot be read: " + AtomicFile.reason(e), e);
    }
  }

  /** Returns the SHA-256 of bytes in memory. */
  public static String sha256(byte[] bytes) {
    return HexFormat.of().formatHex(digest().digest(bytes));
  }

  private static MessageDigest digest() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is not available", e);
    }
  }
}
