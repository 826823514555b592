// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.FileSum;
import org.relaydiffusion.io.InputFile;

/**
 * A network of a {@link PipelineFolder}.
 *
 * @param path the file
 * @param bytes its size
 * @param sha256 64 hexadecimal digits, in lower case
 * @param sourceSha256 the SHA-256 of the checkpoint from which it was converted; empty if the
 *     conversion changed the dtype, and so the network
 */
public record PipelineFile(Path path, long bytes, String sha256, Optional<String> sourceSha256) {
  /**
   * Describes a file that exists.
   *
   * @throws FileException if it cannot be read
   */
  static PipelineFile of(Path path, Optional<String> sourceSha256) {
    return new PipelineFile(path, size(path), FileSum.sha256(path), sourceSha256);
  }

  /**
   * Checks that the file exists and has its size, without reading it.
   *
   * @throws FileException if it is missing or was truncated
   */
  void checkSize() {
    long found = size(path);
    if (found != bytes) {
      throw new FileException(
          path,
          "has %s bytes, but %s has %s for it: the file is incomplete or was changed"
              .formatted(found, PipelineFolder.FILE, bytes));
    }
  }

  private static long size(Path path) {
    InputFile.check(path);
    try {
      return Files.size(path);
    } catch (IOException e) {
      throw new FileException(path, "cannot be read: " + AtomicFile.reason(e), e);
    }
  }

  /**
   * Compares the checksum of the file.
   *
   * @param found the SHA-256 of the file, as computed by {@link FileSum}
   * @throws FileException if it is another one
   */
  public void checkSum(String found) {
    if (!found.equals(sha256)) {
      throw new FileException(
          path,
          "has SHA-256 %s, but %s has %s for it: the file was changed"
              .formatted(found, PipelineFolder.FILE, sha256));
    }
  }
}
