// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.util.OptionalInt;
import org.relaydiffusion.diffusion.ComputeType;
import org.relaydiffusion.diffusion.Noise;
import org.relaydiffusion.launch.command.Candidates;
import org.relaydiffusion.launch.command.ComputeOptions;
import org.relaydiffusion.launch.command.Section;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.model.CudaGraphs;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The device and numerics of the networks. */
final class RunOptions implements Section {
  @Mixin final ComputeOptions compute = new ComputeOptions();

  @Option(
      names = "--dtype",
      paramLabel = "auto|float32|bfloat16|float16",
      completionCandidates = Candidates.TypesOrAuto.class,
      description =
          "Dtype of the networks' computation; auto is float16 on CUDA if the checkpoint has it"
              + " (use_fp16), otherwise float32. Default: ${DEFAULT-VALUE}.",
      defaultValue = "auto")
  ComputeType dtype = ComputeType.AUTO;

  @Option(
      names = "--cuda-graphs",
      paramLabel = "auto|on|off",
      completionCandidates = Candidates.GraphChoices.class,
      description =
          "With --numerics=fast on CUDA, captures each network's pass once and replays it in one"
              + " launch; auto computes without it what cannot be captured, for which on is an"
              + " error. Default: ${DEFAULT-VALUE}.",
      defaultValue = "auto")
  CudaGraphs cudaGraphs = CudaGraphs.AUTO;

  @Option(
      names = "--noise",
      paramLabel = "auto|cpu|cuda[:GPU]",
      completionCandidates = Candidates.Noises.class,
      description =
          "Where the images' random numbers come from, which decide what a seed shows: cpu is the"
              + " reference's generator on the CPU, cuda that on a GPU. On CUDA, cuda draws on the"
              + " device; with the name of a GPU (a100, h100, h200, v100, rtx4090, rtx3090) or its"
              + " number of blocks of 256 threads, and on the CPU, where it is an a100, the GPU's"
              + " numbers are computed. auto is that of the device. Default: ${DEFAULT-VALUE}.",
      defaultValue = "auto")
  Noise noise = Noise.AUTO;

  /** Returns the device and numerics; LibTorch is loaded to determine whether CUDA is available. */
  SamplingJob.Runtime runtime(Rank rank) {
    OptionalInt threads = compute.threads();
    return new SamplingJob.Runtime(
        compute.device(rank), dtype, compute.numerics, cudaGraphs, noise, threads, compute.tf32());
  }

  @Override
  public String heading() {
    return "Running";
  }
}
