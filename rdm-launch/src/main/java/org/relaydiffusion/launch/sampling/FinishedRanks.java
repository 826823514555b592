// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;
import org.relaydiffusion.launch.rank.Rank;

/**
 * The processes of a run that have written all of their images, for the process that collects them.
 * The processes communicate through the folder of images only: each creates a hidden file there
 * with the {@code key} of the run. Files with another key refer to images that are being replaced,
 * and are deleted.
 *
 * @param folder of the images
 * @param rank of this process
 * @param key the same for all runs that generate the same images
 */
record FinishedRanks(Path folder, Rank rank, String key) {
  private static final String PREFIX = ".rdm-finished-";
  private static final int LONGEST = 1024;

  /** Marks this process as not finished, and deletes marks of runs with other images. */
  void begin() {
    delete(file -> file.equals(mark(rank.index())) || !isOfThisRun(file));
  }

  /** Marks this process as finished. */
  void finish() {
    if (rank.isDistributed()) {
      byte[] text = key.getBytes(StandardCharsets.UTF_8);
      AtomicFile.write(mark(rank.index()), out -> out.write(ByteBuffer.wrap(text)));
    }
  }

  /**
   * Waits for the other processes.
   *
   * @param patience the timeout until the next of them finishes
   * @param cancellation ends the wait
   * @throws FileException on a timeout
   * @throws CancelledException if a stop was requested
   */
  void await(Duration patience, Cancellation cancellation) {
    int next = 0;
    long since = System.nanoTime();
    while (next < rank.worldSize()) {
      cancellation.check();
      if (next == rank.index() || isOfThisRun(mark(next))) {
        next++;
        since = System.nanoTime();
      } else if (System.nanoTime() - since > patience.toNanos()) {
        throw new FileException(
            folder,
            ("process %s of %s has not finished its images within %s s: to resume, run the same"
                        + " command with")
                    .formatted(next, rank.worldSize(), patience.toSeconds())
                + " --resume");
      } else {
        pause();
      }
    }
  }

  /** Deletes all marks. */
  void end() {
    delete(_ -> true);
  }

  private Path mark(int index) {
    return folder.resolve("%s%s-of-%s".formatted(PREFIX, index, rank.worldSize()));
  }

  private boolean isOfThisRun(Path file) {
    try {
      return Files.size(file) <= LONGEST && InputFile.text(file).equals(key);
    } catch (IOException _) {
      return false;
    }
  }

  private interface Choice {
    boolean of(Path file);
  }

  private void delete(Choice choice) {
    try {
      for (Path file : marks()) {
        if (choice.of(file)) {
          Files.deleteIfExists(file);
        }
      }
    } catch (NoSuchFileException _) {
      // The folder does not exist yet.
    } catch (IOException e) {
      throw new FileException(folder, "cannot be listed: " + AtomicFile.reason(e), e);
    }
  }

  private List<Path> marks() throws IOException {
    List<Path> marks = new ArrayList<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, PREFIX + "*")) {
      files.forEach(marks::add);
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return marks;
  }

  private static void pause() {
    try {
      Thread.sleep(100);
    } catch (InterruptedException e) {
      throw CancelledException.interrupted("waiting for the other processes", e);
    }
  }
}
