package org.relaydiffusion.launch.training;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.train.RunIdentity;
import org.relaydiffusion.launch.command.Json;

/** What tells the runs of one launch or one job from one another: what each was asked for. */
final class TaskSum {
  /** What may be otherwise when the same command is started again, on other machines. */
  private static final List<String> LEFT_OUT =
      List.of("num_processes", "batch_gpu", "device", "data_loader_kwargs");

  private TaskSum() {}

  /**
   * The identity of a job's run.
   *
   * @param options as they were asked for: without a seed that was drawn or a state that was found
   */
  static RunIdentity identity(TrainingJob job, Map<String, @Nullable Object> options) {
    Map<String, @Nullable Object> asked = new LinkedHashMap<>(options);
    LEFT_OUT.forEach(asked::remove);
    asked.put("description", job.target().description());
    asked.put("start", String.valueOf(job.start()));
    return new RunIdentity(
        job.attempt().launchId().map(TaskSum::line),
        job.attempt().jobId().map(TaskSum::line),
        sum(Json.write(asked)),
        job.attempt().restarts() + job.attempt().requeues());
  }

  private static String line(String id) {
    return id.replaceAll("\\p{Cntrl}", "?");
  }

  private static String sum(String text) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(digest.digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }
}
