// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.relaydiffusion.io.AtomicFile;

/**
 * The state of an unpacked library when it was last compared with its jar: its length and its
 * timestamps, of which the time of the last change (ctime) is kept by the system and cannot be set.
 * Comparing 400 MB at every start would take a second or more, and much more on a network file
 * system.
 */
final class LibraryStamp {
  private static final String ENDING = ".stamp";
  private static final int LONGEST = 1000;

  private LibraryStamp() {}

  /**
   * Returns whether the file was compared with {@code library} and is unchanged.
   *
   * @throws NativeLibraryException if the file or the stamp could have been written by another user
   */
  static boolean isAsChecked(BundledFile library, Path file) throws IOException {
    Path stamp = stamp(file);
    if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)
        || !Files.exists(stamp, LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    Ownership.checkFile(file);
    Ownership.checkFile(stamp);
    return Files.size(file) == library.bytes()
        && Files.size(stamp) < LONGEST
        && Files.readString(stamp).equals(text(library, file));
  }

  /** Records that the file, in its current state, has the content of {@code library}. */
  static void write(BundledFile library, Path file) {
    Path stamp = stamp(file);
    try {
      Path temporary =
          Files.createFile(
              file.resolveSibling(stamp.getFileName() + "." + UUID.randomUUID() + ".tmp"),
              Ownership.privateFile(file));
      try {
        Files.writeString(temporary, text(library, file));
        Files.move(temporary, stamp, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(temporary);
      }
    } catch (IOException e) {
      // The library is valid; without a stamp it is compared again at the next start.
      System.getLogger(LibraryStamp.class.getPackageName())
          .log(
              System.Logger.Level.DEBUG,
              "%s cannot be written: %s".formatted(stamp, AtomicFile.reason(e)));
    }
  }

  private static Path stamp(Path file) {
    return file.resolveSibling(file.getFileName() + ENDING);
  }

  private static String text(BundledFile library, Path file) throws IOException {
    return "crc %s size %s modified %s changed %s\n"
        .formatted(
            Long.toHexString(library.crc()),
            Files.size(file),
            nanos(Files.getLastModifiedTime(file, LinkOption.NOFOLLOW_LINKS)),
            nanos(changed(file)));
  }

  private static FileTime changed(Path file) throws IOException {
    return file.getFileSystem().supportedFileAttributeViews().contains("unix")
        ? (FileTime) Files.getAttribute(file, "unix:ctime", LinkOption.NOFOLLOW_LINKS)
        : Files.getLastModifiedTime(file);
  }

  private static long nanos(FileTime time) {
    return time.to(TimeUnit.NANOSECONDS);
  }
}
