// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.PipelinePacker.Existing;
import org.relaydiffusion.diffusion.Preset;
import org.relaydiffusion.launch.command.Candidates;
import org.relaydiffusion.launch.command.Section;
import org.relaydiffusion.torch.DType;
import picocli.CommandLine.Option;

/** The pipeline folder to write. */
final class PackOptions implements Section {
  @Option(
      names = "--dest",
      paramLabel = "DIR",
      required = true,
      description = "The folder to write; must not exist unless --overwrite is given.")
  Path target = Path.of("");

  @Option(
      names = "--overwrite",
      description =
          "Replace an existing pipeline folder, after the new one is complete. Default: fail if it"
              + " exists.")
  boolean overwrite;

  @Option(
      names = "--preset",
      paramLabel = "NAME",
      completionCandidates = Candidates.Presets.class,
      description =
          "The sampling command whose options and post-processing of images the pipeline has:"
              + " generate, generate_celebahq or generate_imagenet. Default: ${DEFAULT-VALUE}.",
      defaultValue = "generate")
  Preset preset = Preset.GENERATE;

  @Option(
      names = "--dtype",
      paramLabel = "float32|bfloat16|float16",
      completionCandidates = Candidates.Types.class,
      description = "Dtype of all floating-point tensors in the files. Default: unchanged.")
  @Nullable DType dtype;

  @Override
  public String heading() {
    return "Pipeline folder";
  }

  /** Returns what is done with a folder that exists. */
  Existing existing() {
    return overwrite ? Existing.REPLACE : Existing.REFUSE;
  }
}
