// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.relaydiffusion.launch.RdmRun;
import org.relaydiffusion.launch.command.StopSignal;

/**
 * Command lines that sample with the two networks of a fixture, in few steps.
 *
 * @param command one of the sampling commands
 * @param fixture a folder with {@code first.pkl} and {@code second.pt}
 * @param outdir where pictures go
 */
public record Relay(String command, Path fixture, Path outdir) {
  private static final Path SAMPLERS = Path.of(System.getProperty("rdm.fixtures"), "samplers");

  /** Four classes, 8 to 32 pixels. */
  public static Relay conditional(Path outdir) {
    return new Relay("generate", SAMPLERS.resolve("relay_cond_cfg"), outdir);
  }

  /** No classes, 16 to 64 pixels. */
  public static Relay unconditional(Path outdir) {
    return new Relay("generate", SAMPLERS.resolve("relay_uncond"), outdir);
  }

  /** A run of one of the reference's scripts, whose name its {@code config.json} has. */
  public static Relay ofScript(String script, String fixture, Path outdir) {
    return new Relay(script, SAMPLERS.resolve(fixture), outdir);
  }

  public Path first() {
    return fixture.resolve("first.pkl");
  }

  public Path second() {
    return fixture.resolve("second.pt");
  }

  public Path picture(String name) {
    return outdir.resolve(name);
  }

  public RdmRun run(String... more) {
    return run(Map.of(), more);
  }

  public RdmRun run(Map<String, String> environment, String... more) {
    return run(environment, new StopSignal(), more);
  }

  public RdmRun run(Map<String, String> environment, StopSignal stop, String... more) {
    List<String> line = new ArrayList<>();
    line.add(command);
    line.add("--network_first=" + first());
    line.add("--network_second=" + second());
    line.add("--outdir=" + outdir);
    // Operators on such small tensors only lose by being shared between threads.
    line.addAll(
        List.of("--device=cpu", "--threads=1", "--num_steps_first=2", "--num_steps_second=8"));
    line.addAll(List.of(more));
    return RdmRun.run(environment, stop, line.toArray(String[]::new));
  }
}
