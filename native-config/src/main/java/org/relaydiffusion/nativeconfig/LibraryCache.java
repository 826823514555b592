// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.UUID;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import org.relaydiffusion.io.AtomicFile;

/**
 * The libraries of the jars, unpacked below the user's {@link CacheFolder}: a folder for each jar
 * and, beside each file, a {@link LibraryStamp} that records its state when it was last compared
 * with the jar, byte by byte. An unchanged file is used; any other is compared again, and written
 * again if it differs. Every use checks that only the user can have written them.
 */
final class LibraryCache {
  private static final String FOLDER = "libtorch";
  private static final String TEMPORARY = ".tmp";
  private static final int BUFFER_BYTES = 1 << 16;
  private static final Duration LEFT_BEHIND = Duration.ofHours(1);

  private LibraryCache() {}

  /** Returns the folder of the libraries of all jars, which need not exist. */
  static Path root(CacheFolder cache) {
    return cache.path().resolve(FOLDER);
  }

  /**
   * Returns the library as a file, unpacking it if necessary.
   *
   * @throws NativeLibraryException if there is no folder for it, the folder or the file could have
   *     been written by another user, or it cannot be written
   */
  static Path unpacked(BundledFile library) {
    return unpacked(library, CacheFolder.choose());
  }

  static synchronized Path unpacked(BundledFile library, CacheFolder cache) {
    Path root = root(cache);
    Path folder = root.resolve(library.jar());
    Path file = folder.resolve(library.name());
    try {
      makePrivate(cache.path(), root, folder);
      if (LibraryStamp.isAsChecked(library, file)) {
        return file;
      }
      try (CacheLock lock = CacheLock.take(root)) {
        if (!LibraryStamp.isAsChecked(library, file)) {
          if (lock.isHeld()) {
            deleteTemporaries(folder);
          }
          if (!isWhole(library, file)) {
            write(library, file);
          }
          LibraryStamp.write(library, file);
        }
      }
      return file;
    } catch (NativeLibraryException e) {
      throw new NativeLibraryException(e.getMessage() + otherFolder(), e);
    } catch (IOException e) {
      throw new NativeLibraryException(
          "%s: %s cannot be unpacked: %s%s"
              .formatted(folder, library.name(), AtomicFile.reason(e), otherFolder()),
          e);
    }
  }

  private static String otherFolder() {
    return "; set %s=DIR to use another folder".formatted(CacheFolder.ENVIRONMENT_VARIABLE);
  }

  private static void makePrivate(Path base, Path root, Path folder) throws IOException {
    if (!Files.isDirectory(base)) {
      try {
        Files.createDirectories(base, Ownership.privateFolder(base));
      } catch (IOException e) {
        throw new NativeLibraryException(
            "%s cannot be created: %s".formatted(base, AtomicFile.reason(e)), e);
      }
    }
    // Both the given path and its target: either could be redirected.
    Ownership.checkAbove(base);
    Ownership.checkAbove(base.toRealPath());
    for (Path own : new Path[] {root, folder}) {
      try {
        Files.createDirectory(own, Ownership.privateFolder(own));
      } catch (FileAlreadyExistsException e) {
        // It existed already; its owner is checked next.
      }
      Ownership.checkFolder(own);
    }
  }

  private static boolean isWhole(BundledFile library, Path file) throws IOException {
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    Ownership.checkFile(file);
    if (Files.size(file) != library.bytes()) {
      return false;
    }
    try (InputStream expected = library.open();
        InputStream found = Files.newInputStream(file)) {
      byte[] a = new byte[BUFFER_BYTES];
      byte[] b = new byte[BUFFER_BYTES];
      int n;
      do {
        n = expected.readNBytes(a, 0, a.length);
        if (n != found.readNBytes(b, 0, b.length) || !Arrays.equals(a, 0, n, b, 0, n)) {
          return false;
        }
      } while (n > 0);
      return true;
    }
  }

  /**
   * Writes to a temporary file, which is verified, flushed and renamed, so that the file is
   * complete or does not exist.
   */
  private static void write(BundledFile library, Path file) throws IOException {
    Path temporary =
        Files.createFile(
            file.resolveSibling(library.name() + "." + UUID.randomUUID() + TEMPORARY),
            Ownership.privateFile(file));
    try {
      CRC32 crc = new CRC32();
      try (InputStream in = new CheckedInputStream(library.open(), crc);
          FileOutputStream out = new FileOutputStream(temporary.toFile())) {
        long bytes = in.transferTo(out);
        if (bytes != library.bytes() || crc.getValue() != library.crc()) {
          throw new IOException("its jar is damaged (%s)".formatted(library.url()));
        }
        out.getFD().sync();
      }
      Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /**
   * Deletes files left by killed processes. A recent one may belong to a live process that did not
   * wait for the lock any longer.
   */
  private static void deleteTemporaries(Path folder) throws IOException {
    Instant old = Instant.now().minus(LEFT_BEHIND);
    try (Stream<Path> files = Files.list(folder)) {
      for (Path left : files.filter(f -> f.toString().endsWith(TEMPORARY)).toList()) {
        if (Files.getLastModifiedTime(left).toInstant().isBefore(old)) {
          Files.deleteIfExists(left);
        }
      }
    } catch (NoSuchFileException _) {
      // Its owner has just renamed it.
    }
  }
}
