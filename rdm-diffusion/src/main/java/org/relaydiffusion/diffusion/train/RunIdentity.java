// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.FileException;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;

/**
 * The identity of the run that owns a folder, by which a restarted run finds it: a file that is
 * written when the folder is created.
 *
 * @param launchId the launcher's name of the launch, kept through restarts
 * @param jobId the cluster's id of the job, also kept when it is restarted
 * @param task a hash of the requested options: one job may train several networks, concurrently or
 *     in turn
 * @param attempt how many times the run was started before
 */
public record RunIdentity(
    Optional<String> launchId, Optional<String> jobId, String task, int attempt) {
  private static final String FILE = ".run-id";
  private static final long MOST_BYTES = 4096;

  /** Returns the same run for a search limited to its launch. */
  public RunIdentity ofTheLaunchAlone() {
    return new RunIdentity(launchId, Optional.empty(), task, attempt);
  }

  /** Returns whether a folder was created by an earlier start of the same launch. */
  boolean isOfTheLaunch(Path folder) {
    return launchId.isPresent()
        && read(folder)
            .filter(found -> found.launchId.equals(launchId) && found.task.equals(task))
            .isPresent();
  }

  /**
   * Returns whether a folder was created by an earlier start of the same job, for the same task.
   */
  boolean isOfTheJob(Path folder) {
    return jobId.isPresent()
        && read(folder)
            .filter(found -> found.jobId.equals(jobId) && found.task.equals(task))
            .isPresent();
  }

  /** Records in a folder that it belongs to this run. */
  void mark(Path folder) {
    byte[] text =
        "launch: %s\njob: %s\ntask: %s\nattempt: %s\n"
            .formatted(launchId.orElse(""), jobId.orElse(""), task, attempt)
            .getBytes(StandardCharsets.UTF_8);
    AtomicFile.write(folder.resolve(FILE), out -> out.write(ByteBuffer.wrap(text)));
  }

  /** Deletes the record, so that the folder is no longer found by it. */
  static void unmark(Path folder) {
    try {
      Files.deleteIfExists(folder.resolve(FILE));
    } catch (IOException e) {
      throw new FileException(
          folder.resolve(FILE), "cannot be deleted: " + AtomicFile.reason(e), e);
    }
  }

  private static Optional<RunIdentity> read(Path folder) {
    Path file = folder.resolve(FILE);
    try {
      if (!Files.isRegularFile(file) || Files.size(file) > MOST_BYTES) {
        return Optional.empty();
      }
      Map<String, String> values = new HashMap<>();
      for (String line : InputFile.lines(file)) {
        String[] halves = line.split(": ", 2);
        if (halves.length == 2 && !halves[1].isEmpty()) {
          values.put(halves[0], halves[1]);
        }
      }
      return Optional.ofNullable(values.get("task"))
          .map(task ->
              new RunIdentity(
                  Optional.ofNullable(values.get("launch")),
                  Optional.ofNullable(values.get("job")),
                  task,
                  0));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      // Not treated as another run's folder: a restarted run would then start from the beginning.
      throw new FileException(file, "cannot be read: " + AtomicFile.reason(e), e);
    }
  }
}
