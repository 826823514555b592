// SPDX-License-Identifier: Apache-2.0
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

/** Distinguishes the runs of one launch or job by their requested options. */
final class TaskSum {
  /** Options that may differ when the same command is restarted on other hosts. */
  private static final List<String> LEFT_OUT =
      List.of("num_processes", "batch_gpu", "device", "data_loader_kwargs");

  private TaskSum() {}

  /**
   * Returns the identity of a job's run.
   *
   * @param options as requested: without a drawn seed or the state that was found
   */
  static RunIdentity identity(TrainingJob job, Map<String, @Nullable Object> options) {
    Map<String, @Nullable Object> asked = new LinkedHashMap<>(options);
    LEFT_OUT.forEach(asked::remove);
    asked.put("description", job.target().names().description());
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
      throw new IllegalStateException("SHA-256 is not available", e);
    }
  }
}
