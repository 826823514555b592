// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.util.Optional;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.launch.command.Switch;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.torch.Device;

/**
 * The options of an image to repeat, as defaults of a command line.
 *
 * @param origin the image
 * @param typed the options that override it
 */
record PictureDefaults(PictureOrigin origin, TypedOptions typed) {
  private static final String SEEDS = "--seeds";
  private static final String BATCH = "--batch";

  /** Sets the options that do not stand on the command line. */
  void fill(JobOptions job, RunOptions running) {
    unless(SEEDS, () -> job.seeds = Long.toString(origin.seed()));
    unless(BATCH, () -> job.batch = origin.place().size());
    unless(
        "--class",
        () ->
            job.classes =
                origin.label().isPresent() ? Integer.toString(origin.label().getAsInt()) : null);
    unless("--sampler_stages", () -> job.stages = origin.range());
    unless("--dtype", () -> running.dtype = origin.dtype());
    unless("--numerics", () -> running.compute.numerics = origin.numerics());
    unless(
        "--tf32",
        () ->
            running.compute.tf32 =
                origin.tf32().map(allowed -> allowed ? Switch.ON : Switch.OFF).orElse(null));
    if (origin.device().type() == Device.Type.CPU) {
      unless("--device", () -> running.compute.device = "cpu");
    }
  }

  private void unless(String option, Runnable setting) {
    if (!typed.has(option)) {
      setting.run();
    }
  }

  /**
   * Returns how the image is repeated.
   *
   * @throws OptionException if several processes would share one image
   */
  Repetition repetition(Rank rank) {
    if (typed.has(SEEDS)) {
      return new Repetition(origin, Optional.empty());
    }
    if (rank.isDistributed()) {
      throw new OptionException(
          "--like repeats one image in one process, but there are %s processes"
              .formatted(rank.worldSize()));
    }
    return new Repetition(
        origin, typed.has(BATCH) ? Optional.empty() : Optional.of(origin.place()));
  }
}
