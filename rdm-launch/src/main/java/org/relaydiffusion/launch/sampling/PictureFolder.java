// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.stream.Stream;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.AtomicFile;

/**
 * A folder of images, one per seed, in the reference's layout: one subfolder per 1000 seeds, and
 * six digits for both names.
 *
 * @param root the folder
 */
record PictureFolder(Path root) {
  private static final int SEEDS_PER_FOLDER = 1000;
  private static final Duration COARSEST = Duration.ofSeconds(2);

  /** Returns the file of a seed, such as {@code 080000/080123.png}. */
  Path file(long seed) {
    long first = seed - Math.floorMod(seed, SEEDS_PER_FOLDER);
    return root.resolve(digits(first)).resolve(digits(seed) + ".png");
  }

  /** Returns the file of a seed without subfolders. */
  Path flatFile(long seed) {
    return root.resolve(digits(seed) + ".png");
  }

  /**
   * Creates the folder if it is missing, and tests that it is writable.
   *
   * @throws FileException if that fails, before hours are spent on images for it
   */
  void prepare() {
    try {
      Files.createDirectories(root);
      Files.delete(Files.createTempFile(root, ".rdm", ".tmp"));
    } catch (FileAlreadyExistsException e) {
      throw new FileException(root, "is a file, but must be a folder", e);
    } catch (IOException e) {
      throw new FileException(root, "cannot be written to: " + AtomicFile.reason(e), e);
    }
  }

  /** Returns whether there is an image in the folder or its subfolders. */
  boolean holdsPictures() {
    try (Stream<Path> files = Files.walk(root, 2)) {
      return files.anyMatch(f -> f.toString().endsWith(".png"));
    } catch (IOException e) {
      throw new FileException(root, "cannot be listed: " + AtomicFile.reason(e), e);
    } catch (UncheckedIOException e) {
      throw new FileException(root, "cannot be listed: " + e.getMessage(), e);
    }
  }

  /**
   * Returns whether the image of a seed was written before {@code time}, or does not exist. File
   * systems store times with a resolution of up to two seconds.
   */
  boolean isOlder(long seed, Instant time) {
    try {
      Instant written = Files.getLastModifiedTime(file(seed)).toInstant();
      return written.plus(COARSEST).isBefore(time);
    } catch (IOException e) {
      return true;
    }
  }

  private static String digits(long seed) {
    return String.format(Locale.ROOT, "%06d", seed);
  }
}
