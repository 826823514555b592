package org.relaydiffusion.launch.sampling;

import org.relaydiffusion.launch.command.Candidates;
import org.relaydiffusion.launch.command.ComputeOptions;
import org.relaydiffusion.launch.command.Section;
import org.relaydiffusion.torch.DType;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Where the networks run, and how. */
final class RunOptions implements Section {
  @Mixin final ComputeOptions compute = new ComputeOptions();

  @Option(
      names = "--dtype",
      paramLabel = "float32|bfloat16|float16",
      completionCandidates = Candidates.Types.class,
      description = "Type that the networks compute in. Default: ${DEFAULT-VALUE}.",
      defaultValue = "float32")
  DType dtype = DType.FLOAT32;

  @Override
  public String heading() {
    return "Running";
  }
}
