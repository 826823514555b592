// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.model.CudaGraphs;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Torch;

/**
 * Relay Diffusion, from two checkpoints to images (arXiv 2309.03350):
 *
 * <pre>{@code
 * try (var pipeline = RelayPipeline.builder().first(stage1).second(stage2).load();
 *     var samples = pipeline.sample(SampleRequest.builder().seeds("0-63").build())) {
 *   for (Sample sample : samples) { ... }
 * }
 * }</pre>
 *
 * <p>Any number of threads may sample from one pipeline concurrently. The noise of an image depends
 * on its seed and the {@link Noise} of the request alone, not on its batch, rank or thread. The
 * networks are computed by LibTorch, whose kernels may round differently for another batch size:
 * two images of one seed may differ by a grey level in some pixels, and are bit-identical if the
 * batches have equal size; on CUDA, cuDNN may choose other kernels in another process.
 */
public final class RelayPipeline implements AutoCloseable {
  private final @Nullable Denoiser first;
  private final @Nullable Denoiser second;
  private final Numerics numerics;
  private final Device device;
  private final List<LoadedNetwork> owned;

  /** Held for reading by running batches, and for writing by {@link #close()}. */
  private final ReentrantReadWriteLock use = new ReentrantReadWriteLock();

  private boolean closed;

  private RelayPipeline(
      @Nullable Denoiser first,
      @Nullable Denoiser second,
      Numerics numerics,
      Device device,
      List<LoadedNetwork> owned) {
    this.first = first;
    this.second = second;
    this.numerics = numerics;
    this.device = device;
    this.owned = owned;
  }

  /** Returns a builder, which specifies the checkpoints and how they are loaded. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * Returns a pipeline with networks that the caller has loaded, and closes after the pipeline.
   *
   * @param first the network of the first stage; null if only the second stage runs
   * @param second the network of the second stage; null if only the first stage runs
   * @param numerics how guidance is computed
   * @param device the device of the networks
   */
  public static RelayPipeline of(
      @Nullable Denoiser first, @Nullable Denoiser second, Numerics numerics, Device device) {
    return new RelayPipeline(first, second, numerics, device, List.of());
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
    RelayPlan plan = RelayPlan.of(request, first, second);
    BatchSampler sampler = new BatchSampler(plan, BatchSampler.evaluation(numerics), device);
    whileOpen(() -> List.of());
    return new LazySamples(
        request, (seeds, steps) -> whileOpen(() -> sampler.sample(seeds, steps)), listener);
  }

  private List<Sample> whileOpen(Supplier<List<Sample>> work) {
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

  /** Returns the dtypes of the networks' computation, in the order of the stages. */
  public List<DType> dtypes() {
    return owned.stream().map(network -> network.net().options().dtype()).toList();
  }

  /** Returns the network of the first stage, if there is one; valid until {@link #close()}. */
  public Optional<Denoiser> first() {
    return Optional.ofNullable(first);
  }

  /** Returns the network of the second stage, if there is one; valid until {@link #close()}. */
  public Optional<Denoiser> second() {
    return Optional.ofNullable(second);
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
    private @Nullable Path first;
    private @Nullable Path second;
    private Numerics numerics = Numerics.FAST;
    private CudaGraphs cudaGraphs = CudaGraphs.AUTO;
    private ComputeType type = new ComputeType.Fixed(DType.FLOAT32);
    private Device device = Device.CPU;

    private Builder() {}

    /**
     * Sets the checkpoint of the first stage: {@code .pkl}, {@code .pt} or {@code .safetensors}.
     */
    public Builder first(Path file) {
      first = file;
      return this;
    }

    /**
     * Sets the checkpoint of the second stage: {@code .pkl}, {@code .pt} or {@code .safetensors}.
     */
    public Builder second(Path file) {
      second = file;
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
     * Loads the networks; one of the two may be absent.
     *
     * @return the pipeline, which the caller closes
     * @throws OptionException if both are absent, or the device cannot be used, with the reason
     * @throws org.relaydiffusion.FileException if a file is damaged or contains no network
     */
    public RelayPipeline load() {
      if (first == null && second == null) {
        throw new OptionException("a pipeline requires the checkpoint of at least one stage");
      }
      // Reject a dtype that the device does not support before files are read.
      if (type instanceof ComputeType.Fixed(DType dtype)) {
        LoadOptions _ = new LoadOptions(numerics, dtype, device, cudaGraphs);
      }
      // Before files are read, whose errors would hide this one.
      Torch.requireUsable(device);
      List<LoadedNetwork> owned = new ArrayList<>();
      try {
        Denoiser one = load(first, owned);
        Denoiser two = load(second, owned);
        return new RelayPipeline(one, two, numerics, device, List.copyOf(owned));
      } catch (RuntimeException e) {
        owned.forEach(LoadedNetwork::close);
        throw e;
      }
    }

    private @Nullable Denoiser load(@Nullable Path file, List<LoadedNetwork> owned) {
      if (file == null) {
        return null;
      }
      LoadedNetwork loaded = LoadedNetwork.open(file, numerics, type, device, cudaGraphs);
      owned.add(loaded);
      return loaded.net();
    }
  }
}
