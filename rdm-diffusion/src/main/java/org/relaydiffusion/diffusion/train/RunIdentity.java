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
 * Which run a folder is of, so that a run that is started again finds its own: a file in the folder
 * says it from the folder's first moment on.
 *
 * @param launchId what the launcher calls the launch, through all its restarts
 * @param jobId what the cluster calls the job, also when it starts it again
 * @param task a sum of what was asked for: one job may train several networks, at once or one after
 *     the other
 * @param attempt how often the run was started before
 */
public record RunIdentity(
    Optional<String> launchId, Optional<String> jobId, String task, int attempt) {
  private static final String FILE = ".run-id";
  private static final long MOST_BYTES = 4096;

  /** The same run, for a search that does not go beyond its launch. */
  public RunIdentity ofTheLaunchAlone() {
    return new RunIdentity(launchId, Optional.empty(), task, attempt);
  }

  /** Whether a folder was made by an earlier start of the same launch. */
  boolean isOfTheLaunch(Path folder) {
    return launchId.isPresent()
        && read(folder)
            .filter(found -> found.launchId.equals(launchId) && found.task.equals(task))
            .isPresent();
  }

  /** Whether a folder was made by an earlier start of the same job, for the same task. */
  boolean isOfTheJob(Path folder) {
    return jobId.isPresent()
        && read(folder)
            .filter(found -> found.jobId.equals(jobId) && found.task.equals(task))
            .isPresent();
  }

  /** Notes in a folder that it is this run's. */
  void mark(Path folder) {
    byte[] text =
        "launch: %s\njob: %s\ntask: %s\nattempt: %s\n"
            .formatted(launchId.orElse(""), jobId.orElse(""), task, attempt)
            .getBytes(StandardCharsets.UTF_8);
    AtomicFile.write(folder.resolve(FILE), out -> out.write(ByteBuffer.wrap(text)));
  }

  /** Takes the note away: nobody is to find the folder by it. */
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
      // Not to be taken for another run's folder: a run that is started again would begin anew.
      throw new FileException(file, "cannot be read: " + AtomicFile.reason(e), e);
    }
  }
}
