package org.relaydiffusion.launch.sampling;

import org.relaydiffusion.diffusion.ComputeType;
import org.relaydiffusion.launch.command.Candidates;
import org.relaydiffusion.launch.command.ComputeOptions;
import org.relaydiffusion.launch.command.Section;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where the networks run, and how. */
final class RunOptions implements Section {
  @Mixin final ComputeOptions compute = new ComputeOptions();

  @Option(
      names = "--dtype",
      paramLabel = "auto|float32|bfloat16|float16",
      completionCandidates = Candidates.TypesOrAuto.class,
      description =
          "Type that the networks compute in; auto is float16 on CUDA where the checkpoint says so"
              + " (use_fp16), else float32. Default: ${DEFAULT-VALUE}.",
      defaultValue = "auto")
  ComputeType dtype = ComputeType.AUTO;

  @Override
  public String heading() {
    return "Running";
  }
}
