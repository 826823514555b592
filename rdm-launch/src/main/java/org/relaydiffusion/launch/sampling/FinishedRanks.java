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
 * Which processes of a run have written all their pictures, for the one that puts them together.
 * They meet in the folder of pictures only: each leaves a hidden file there with the {@code key} of
 * the run. Files of another key are of pictures that are being replaced, and are deleted.
 *
 * @param folder of the pictures
 * @param rank this process
 * @param key the same for all runs that make the same pictures
 */
record FinishedRanks(Path folder, Rank rank, String key) {
  private static final String PREFIX = ".rdm-finished-";
  private static final int LONGEST = 1024;

  /** Says that this process has not finished, and forgets runs of other pictures. */
  void begin() {
    delete(file -> file.equals(mark(rank.index())) || !isOfThisRun(file));
  }

  /** Says that this process has finished. */
  void finish() {
    if (rank.isDistributed()) {
      byte[] text = key.getBytes(StandardCharsets.UTF_8);
      AtomicFile.write(mark(rank.index()), out -> out.write(ByteBuffer.wrap(text)));
    }
  }

  /**
   * Waits for the other processes.
   *
   * @param patience how long it may be until the next of them finishes
   * @throws FileException when one does not
   * @throws CancelledException when the end was asked for
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
            "process %s of %s has not finished its pictures for %s s: the same command with"
                    .formatted(next, rank.worldSize(), patience.toSeconds())
                + " --resume goes on");
      } else {
        pause();
      }
    }
  }

  /** Forgets who has finished. */
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
      // There is no folder yet.
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
