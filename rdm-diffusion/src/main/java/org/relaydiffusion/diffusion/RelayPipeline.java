// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.guidance.Guidance;
import org.relaydiffusion.model.CudaGraphs;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.DeviceGuard;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;

/**
 * Relay Diffusion, from checkpoints to images (arXiv 2309.03350): a list of {@link Stage}s, of
 * which the first starts from noise and each further one from the enlarged images of the one before
 * it.
 *
 * <pre>{@code
 * try (var pipeline = RelayPipeline.builder().stage(small).stage(large).load();
 *     var samples = pipeline.sample(SampleRequest.builder().seeds("0-63").build())) {
 *   for (Sample sample : samples) { ... }
 * }
 * }</pre>
 *
 * <p>A pipeline in one folder ({@link PipelineFolder}) is loaded by {@link #open}, and has its own
 * default options: {@code pipeline.request().seeds("0-63").build()}.
 *
 * <p>Any number of threads may sample from one pipeline concurrently. The noise of an image depends
 * on its seed and the {@link Noise} of the request alone, not on its batch, rank or thread. The
 * networks are computed by LibTorch, whose kernels may round differently for another batch size:
 * two images of one seed may differ by a grey level in some pixels, and are bit-identical if the
 * batches have equal size; on CUDA, cuDNN may choose other kernels in another process.
 */
public final class RelayPipeline implements AutoCloseable {
  private final List<Stage> stages;
  private final Numerics numerics;
  private final Device device;
  private final List<LoadedNetwork> owned;
  private final Optional<PipelineFolder> folder;

  /** Held for reading by running batches, and for writing by {@link #close()}. */
  private final ReentrantReadWriteLock use = new ReentrantReadWriteLock();

  private boolean closed;

  private RelayPipeline(
      List<Stage> stages,
      Numerics numerics,
      Device device,
      List<LoadedNetwork> owned,
      Optional<PipelineFolder> folder) {
    this.stages = List.copyOf(stages);
    this.numerics = numerics;
    this.device = device;
    this.owned = owned;
    this.folder = folder;
  }

  /** Returns a builder, which specifies the checkpoints and how they are loaded. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Loads the networks of a pipeline folder with the defaults of {@link Builder}, on the CPU. For
   * other load options, use {@link Builder#folder(Path)}.
   *
   * @return the pipeline, which the caller closes; {@link #request()} has the folder's options
   * @throws org.relaydiffusion.FileException if it is no pipeline folder, or a file is damaged
   */
  public static RelayPipeline open(Path folder) {
    return builder().folder(folder).load();
  }

  /**
   * Returns a pipeline with networks that the caller has loaded, and closes after the pipeline.
   *
   * @param stages in order; the first ones may be absent, if only later ones run
   * @param numerics how guidance is computed
   * @param device the device of the networks
   * @throws IllegalArgumentException if the stages are not in order
   */
  public static RelayPipeline of(List<Stage> stages, Numerics numerics, Device device) {
    for (int i = 1; i < stages.size(); i++) {
      if (stages.get(i).index() <= stages.get(i - 1).index()) {
        throw new IllegalArgumentException("the stages of a pipeline must be in order");
      }
    }
    return new RelayPipeline(stages, numerics, device, List.of(), Optional.empty());
  }

  /**
   * Returns a request with the options of the pipeline's folder; of a pipeline without a folder,
   * with the defaults of {@link Preset#GENERATE}.
   */
  public SampleRequest.Builder request() {
    return folder.map(PipelineFolder::request).orElseGet(SampleRequest::builder);
  }

  /** Samples as {@link #sample(SampleRequest, ProgressListener)}, without progress. */
  public Samples sample(SampleRequest request) {
    return sample(request, ProgressListener.NONE);
  }

  /**
   * Checks a request against the networks. The images are sampled while the result is iterated, on
   * the iterating thread.
   *
   * @param request what to sample
   * @param listener receives every step
   * @return the images, which the caller closes
   * @throws OptionException naming the option that does not match the networks
   * @throws RdmException if the pipeline is closed; iterating also throws it, if the pipeline is
   *     closed in the meantime
   */
  public Samples sample(SampleRequest request, ProgressListener listener) {
    PipelinePlan plan = PipelinePlan.of(request, stages);
    BatchSampler sampler = new BatchSampler(plan, Guidance.Evaluation.of(numerics), device);
    whileOpen(() -> Boolean.TRUE);
    return new LazySamples(
        request, (seeds, steps) -> whileOpen(() -> sampler.sample(seeds, steps)), listener);
  }

  /**
   * Samples all images of a request in one batch, before their conversion to pixels and without
   * post-processing.
   *
   * @param request what to sample; its batch size is not used
   * @param listener receives every step
   * @return float64 [N, C, H, W] on the pipeline's device, in the range of -1 to 1 but for
   *     overshooting, in the order of the seeds of this process; owned by the caller
   * @throws OptionException naming the option that does not match the networks
   * @throws RdmException if the pipeline is closed
   */
  public Tensor images(SampleRequest request, ProgressListener listener) {
    PipelinePlan plan = PipelinePlan.of(request, stages);
    BatchSampler sampler = new BatchSampler(plan, Guidance.Evaluation.of(numerics), device);
    long[] seeds =
        request.seeds().batches(request.batch(), request.rank(), request.worldSize()).stream()
            .flatMapToLong(Arrays::stream)
            .toArray();
    if (seeds.length == 0) {
      throw new OptionException(
          "rank %s of %s has no images".formatted(request.rank(), request.worldSize()));
    }
    return whileOpen(() -> {
      try (var _ = DeviceGuard.on(device);
          var _ = GradMode.noGrad()) {
        return sampler.images(
            seeds,
            (stage, step, steps, preview) -> {
              request.cancellation().check();
              listener.stepDone(new Progress(stage, step, steps, 0, 1, 0, seeds.length, preview));
            });
      }
    });
  }

  private <T> T whileOpen(Supplier<T> work) {
    use.readLock().lock();
    try {
      if (closed) {
        throw new RdmException("this pipeline is closed");
      }
      return work.get();
    } finally {
      use.readLock().unlock();
    }
  }

  /**
   * Returns the dtypes of the computation of the networks that this pipeline loaded: for each stage
   * that of its network, then that of its guide network, if it has one.
   */
  public List<DType> dtypes() {
    return owned.stream().map(network -> network.net().options().dtype()).toList();
  }

  /** Returns the stages, in order; their networks are valid until {@link #close()}. */
  public List<Stage> stages() {
    return stages;
  }

  /**
   * Returns the network of a stage, if it was loaded; valid until {@link #close()}.
   *
   * @param index from 0
   */
  public Optional<Denoiser> network(int index) {
    return stages.stream().filter(s -> s.index() == index).map(Stage::network).findFirst();
  }

  /**
   * Waits for running batches on other threads, then frees the networks; further iteration throws
   * an exception. Closing twice has no effect.
   *
   * @throws IllegalStateException if called from a progress listener, whose batch could never end
   */
  @Override
  public void close() {
    if (use.getReadHoldCount() > 0) {
      throw new IllegalStateException(
          "a pipeline cannot be closed from a listener of one of its batches");
    }
    use.writeLock().lock();
    try {
      if (!closed) {
        closed = true;
        owned.forEach(LoadedNetwork::close);
      }
    } finally {
      use.writeLock().unlock();
    }
  }

  /** Loads a pipeline. */
  public static final class Builder {
    private final SortedMap<Integer, Path> networks = new TreeMap<>();
    private final SortedMap<Integer, Path> guides = new TreeMap<>();
    private @Nullable PipelineFolder folder;
    private Numerics numerics = Numerics.FAST;
    private CudaGraphs cudaGraphs = CudaGraphs.AUTO;
    private ComputeType type = new ComputeType.Fixed(DType.FLOAT32);
    private Device device = Device.CPU;

    private Builder() {}

    /**
     * Sets the networks to those of a pipeline folder, and the options of {@link
     * RelayPipeline#request()} to its options.
     *
     * @throws org.relaydiffusion.FileException if it is no pipeline folder, or a file is missing
     */
    public Builder folder(Path value) {
      return folder(PipelineFolder.open(value));
    }

    /** Sets the networks and options to those of a pipeline folder. */
    public Builder folder(PipelineFolder value) {
      folder = value;
      networks.clear();
      guides.clear();
      value
          .stages()
          .forEach((index, part) -> {
            networks.put(index, part.network().path());
            part.guide().ifPresent(guide -> guides.put(index, guide.path()));
          });
      return this;
    }

    /**
     * Adds a stage after those that were given.
     *
     * @param file its checkpoint: {@code .pkl}, {@code .pt} or {@code .safetensors}
     */
    public Builder stage(Path file) {
      return stage(networks.isEmpty() ? 0 : networks.lastKey() + 1, file);
    }

    /**
     * Sets the checkpoint of a stage. The first ones may be absent, if only later ones run.
     *
     * @param index the place of the stage in the pipeline, from 0
     * @param file its checkpoint: {@code .pkl}, {@code .pt} or {@code .safetensors}
     */
    public Builder stage(int index, Path file) {
      networks.put(Objects.checkIndex(index, StageNames.all().size()), file);
      return this;
    }

    /**
     * Sets the weaker network by which a stage is guided (autoguidance).
     *
     * @param index the place of the stage in the pipeline, from 0
     * @param file its checkpoint: {@code .pkl}, {@code .pt} or {@code .safetensors}
     */
    public Builder guide(int index, Path file) {
      guides.put(Objects.checkIndex(index, StageNames.all().size()), file);
      return this;
    }

    /**
     * Sets the numerics: {@code EXACT} performs the reference's operations; {@code FAST}, the
     * default, uses faster equivalents.
     */
    public Builder numerics(Numerics value) {
      numerics = value;
      return this;
    }

    /** Sets the dtype of the networks' computation; float32 by default. */
    public Builder dtype(DType value) {
      return dtype(new ComputeType.Fixed(value));
    }

    /** Sets the dtype, or {@link ComputeType#AUTO} to use that of each checkpoint. */
    public Builder dtype(ComputeType value) {
      type = value;
      return this;
    }

    /**
     * Sets whether passes on CUDA are captured and replayed; by default they are, with fast
     * numerics, where that is possible. It does not change the images.
     */
    public Builder cudaGraphs(CudaGraphs value) {
      cudaGraphs = value;
      return this;
    }

    /** Sets the device of the networks; the CPU by default. */
    public Builder device(Device value) {
      device = value;
      return this;
    }

    /**
     * Loads the networks.
     *
     * @return the pipeline, which the caller closes
     * @throws OptionException if there are none, or the device cannot be used, with the reason
     * @throws org.relaydiffusion.FileException if a file is damaged or contains no network
     */
    public RelayPipeline load() {
      if (networks.isEmpty()) {
        throw new OptionException("a pipeline requires the checkpoint of at least one stage");
      }
      for (int index : guides.keySet()) {
        if (!networks.containsKey(index)) {
          throw new OptionException(
              "the %s stage has a guide network, but no network".formatted(StageNames.of(index)));
        }
      }
      // Reject a dtype that the device does not support before files are read.
      if (type instanceof ComputeType.Fixed(DType dtype)) {
        LoadOptions _ = new LoadOptions(numerics, dtype, device, cudaGraphs);
      }
      // Before files are read, whose errors would hide this one.
      Torch.requireUsable(device);
      List<LoadedNetwork> owned = new ArrayList<>();
      try {
        List<Stage> stages = new ArrayList<>();
        networks.forEach((index, file) -> {
          Denoiser network = load(file, owned);
          Optional<Denoiser> guide =
              Optional.ofNullable(guides.get(index)).map(weaker -> load(weaker, owned));
          stages.add(new Stage(index, network, guide));
        });
        return new RelayPipeline(
            stages, numerics, device, List.copyOf(owned), Optional.ofNullable(folder));
      } catch (RuntimeException e) {
        owned.forEach(LoadedNetwork::close);
        throw e;
      }
    }

    private Denoiser load(Path file, List<LoadedNetwork> owned) {
      LoadedNetwork loaded = LoadedNetwork.open(file, numerics, type, device, cudaGraphs);
      owned.add(loaded);
      return loaded.net();
    }
  }
}
