// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.RelayPipeline;
import org.relaydiffusion.launch.download.Downloads;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.NativeLibraryException;
import org.relaydiffusion.nativeconfig.NativeThreads;
import org.relaydiffusion.torch.CudaPrecision;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Torch;

/**
 * Makes networks ready.
 *
 * @param networks those of the stages to run
 * @param runtime the device and numerics
 * @param downloads fetches checkpoints given by URL
 */
record NetworkLoader(StageNetworks networks, SamplingJob.Runtime runtime, Downloads downloads) {
  private static final System.Logger LOG = System.getLogger(NetworkLoader.class.getName());

  /** Returns the loader of the networks that a job needs. */
  static NetworkLoader of(SamplingJob job, Downloads downloads) {
    return new NetworkLoader(job.networks().within(job.range()), job.runtime(), downloads);
  }

  /**
   * Fetches checkpoints given by URL, and prepares LibTorch for the device.
   *
   * @throws OptionException if the device cannot be used
   */
  void prepare() {
    networks.files().forEach(downloads::fetch);
    LibTorch library = LibTorch.load();
    if (runtime.device().type() == Device.Type.CUDA && library.whyNoCuda().isPresent()) {
      throw new OptionException(
          "--device %s: %s".formatted(runtime.device(), library.whyNoCuda().get()));
    }
    runtime.threads().ifPresent(NativeThreads::setThreads);
    if (runtime.device().type() == Device.Type.CUDA) {
      runtime.tf32().ifPresent(CudaPrecision::setTf32);
      if (runtime.numerics() == Numerics.FAST) {
        benchmarkKernels();
      }
    }
  }

  /**
   * All batches have one shape, or two. Not under exact: PyTorch's default is off, and which kernel
   * is the quickest may differ between runs.
   */
  private static void benchmarkKernels() {
    try {
      Torch.benchmarkCudnn();
    } catch (NativeLibraryException e) {
      LOG.log(System.Logger.Level.DEBUG, "cuDNN cannot benchmark its kernels: " + e.getMessage());
    }
  }

  /** Loads the networks of the stages to run; the caller closes the pipeline. */
  RelayPipeline load() {
    RelayPipeline.Builder builder =
        RelayPipeline.builder()
            .device(runtime.device())
            .dtype(runtime.dtype())
            .numerics(runtime.numerics())
            .cudaGraphs(runtime.cudaGraphs());
    networks.networks().forEach((index, file) -> builder.stage(index, file.path()));
    networks.guides().forEach((index, file) -> builder.guide(index, file.path()));
    return builder.load();
  }
}
