// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.util.Locale;
import java.util.Optional;
import org.relaydiffusion.torch.CudaMemory;

/**
 * The state of a run at the end of a tick.
 *
 * @param tick number of the tick, from 0
 * @param images trained on so far
 * @param loss mean per-pixel loss over all processes since the last tick
 * @param totalSeconds since the process began to train
 * @param tickSeconds of the steps of this tick
 * @param maintenanceSeconds between the steps of the last tick and this one: states, samples, files
 * @param imagesInTick trained on in this tick
 * @param hostMemory resident bytes of this process
 * @param deviceMemory peaks on the GPU since the last tick; empty on the CPU
 * @param learningRate of the last step of the tick
 * @param gradientNorm Euclidean norm of all gradients of the last step of the tick, over all
 *     processes and without the loss scale; NaN if the tick had no step
 */
public record TickReport(
    int tick,
    long images,
    double loss,
    double totalSeconds,
    double tickSeconds,
    double maintenanceSeconds,
    long imagesInTick,
    long hostMemory,
    Optional<CudaMemory.Peak> deviceMemory,
    double learningRate,
    double gradientNorm) {
  /** The number of bytes of a gigabyte in the reference. */
  static final double GIB = 1L << 30;

  /** Returns the reference's status line, followed by the loss. */
  public String line() {
    StringBuilder line = new StringBuilder();
    line.append(String.format(Locale.ROOT, "tick %-5d ", tick));
    line.append(String.format(Locale.ROOT, "kimg %-9.1f ", images / 1e3));
    line.append("time %-12s ".formatted(time(totalSeconds)));
    line.append(String.format(Locale.ROOT, "sec/tick %-7.1f ", tickSeconds));
    line.append(String.format(Locale.ROOT, "sec/kimg %-7.2f ", secondsPerKimg()));
    line.append(String.format(Locale.ROOT, "maintenance %-6.1f ", maintenanceSeconds));
    line.append(String.format(Locale.ROOT, "cpumem %-6.2f ", hostMemory / GIB));
    deviceMemory.ifPresent(peak -> {
      line.append(String.format(Locale.ROOT, "gpumem %-6.2f ", peak.allocated() / GIB));
      line.append(String.format(Locale.ROOT, "reserved %-6.2f ", peak.reserved() / GIB));
    });
    line.append(String.format(Locale.ROOT, "loss %.4f", loss));
    return line.toString();
  }

  /** Returns the seconds per thousand images. */
  public double secondsPerKimg() {
    return tickSeconds / imagesInTick * 1e3;
  }

  private static String time(double seconds) {
    long s = Math.round(seconds);
    if (s < 60) {
      return s + "s";
    }
    if (s < 3600) {
      return String.format(Locale.ROOT, "%dm %02ds", s / 60, s % 60);
    }
    if (s < 86_400) {
      return String.format(Locale.ROOT, "%dh %02dm %02ds", s / 3600, s / 60 % 60, s % 60);
    }
    return String.format(Locale.ROOT, "%dd %02dh %02dm", s / 86_400, s / 3600 % 24, s / 60 % 60);
  }
}
