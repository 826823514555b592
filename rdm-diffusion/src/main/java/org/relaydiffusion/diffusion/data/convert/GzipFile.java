// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data.convert;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;

/** Reads gzip files. */
final class GzipFile {
  private static final int BUFFER = 1 << 16;

  private GzipFile() {}

  /** Reads the content. */
  @FunctionalInterface
  interface Reader {
    /** Reads as much as needed; the stream is closed by the caller. */
    void read(InputStream in) throws IOException;
  }

  /**
   * Decompresses a file.
   *
   * @throws FileException if it cannot be read, is not a gzip file, or is damaged
   */
  static void read(Path file, Reader reader) {
    try (InputStream in = InputFile.stream(file);
        InputStream unpacked = new BufferedInputStream(new GZIPInputStream(in, BUFFER), BUFFER)) {
      reader.read(unpacked);
    } catch (ZipException e) {
      throw new FileException(file, "is not a valid gzip file: " + e.getMessage(), e);
    } catch (EOFException e) {
      throw new FileException(file, "is truncated: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new FileException(file, "cannot be read: " + AtomicFile.reason(e), e);
    }
  }
}
