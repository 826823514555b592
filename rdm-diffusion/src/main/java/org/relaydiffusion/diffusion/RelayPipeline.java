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
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Torch;

/**
 * The relay, from two checkpoints to pictures (arXiv 2309.03350):
 *
 * <pre>{@code
 * try (var pipeline = RelayPipeline.builder().first(stage1).second(stage2).load();
 *     var samples = pipeline.sample(SampleRequest.builder().seeds("0-63").build())) {
 *   for (Sample sample : samples) { ... }
 * }
 * }</pre>
 *
 * <p>Any number of threads may sample on one pipeline at once. An image's noise depends on its seed
 * alone, whatever its batch, rank, thread or device; the network's arithmetic is LibTorch's, whose
 * kernels may round otherwise for another batch size, so two pictures of one seed may differ by a
 * grey level here and there, and are equal to the bit where the batches have equal size.
 */
public final class RelayPipeline implements AutoCloseable {
  private final @Nullable Denoiser first;
  private final @Nullable Denoiser second;
  private final Numerics numerics;
  private final Device device;
  private final List<LoadedNetwork> owned;

  /** A batch in work holds it for reading, closing for writing. */
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

  /** Names the checkpoints and how they run. */
  public static Builder builder() {
    return new Builder();
  }

  /**
   * A pipeline over networks that the caller has loaded, and closes after the pipeline.
   *
   * @param first the first stage's network; null where only the second stage runs
   * @param second the second stage's network; null where only the first stage runs
   * @param numerics how guidance is computed
   * @param device where the networks are
   */
  public static RelayPipeline of(
      @Nullable Denoiser first, @Nullable Denoiser second, Numerics numerics, Device device) {
    return new RelayPipeline(first, second, numerics, device, List.of());
  }

  /** As {@link #sample(SampleRequest, ProgressListener)}, without progress. */
  public Samples sample(SampleRequest request) {
    return sample(request, ProgressListener.NONE);
  }

  /**
   * Checks a request against the networks. The pictures are made while they are walked, on the
   * thread that walks.
   *
   * @param listener hears of every step
   * @throws OptionException naming what does not fit the networks
   * @throws RdmException when the pipeline is closed; walking throws it too, if it is closed
   *     meanwhile
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

  /** The types that the loaded networks compute in, in the order of the stages. */
  public List<DType> dtypes() {
    return owned.stream().map(network -> network.net().options().dtype()).toList();
  }

  /** The first stage's network, if there is one; valid until {@link #close()}. */
  public Optional<Denoiser> first() {
    return Optional.ofNullable(first);
  }

  /** The second stage's network, if there is one; valid until {@link #close()}. */
  public Optional<Denoiser> second() {
    return Optional.ofNullable(second);
  }

  /**
   * Waits for the batches in work on other threads, then frees the networks; a walk that goes on is
   * refused. Closing twice is allowed.
   *
   * @throws IllegalStateException when called from a progress listener: that batch could never end
   */
  @Override
  public void close() {
    if (use.getReadHoldCount() > 0) {
      throw new IllegalStateException("a pipeline cannot be closed from inside its own batch");
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
    private ComputeType type = new ComputeType.Fixed(DType.FLOAT32);
    private Device device = Device.CPU;

    private Builder() {}

    /** The first stage's checkpoint: {@code .pkl}, {@code .pt} or {@code .safetensors}. */
    public Builder first(Path file) {
      first = file;
      return this;
    }

    /** The second stage's checkpoint: {@code .pkl}, {@code .pt} or {@code .safetensors}. */
    public Builder second(Path file) {
      second = file;
      return this;
    }

    /** Whether to repeat the reference's operations or to be fast, which is the default. */
    public Builder numerics(Numerics value) {
      numerics = value;
      return this;
    }

    /** The type that the networks compute in; float32 by default. */
    public Builder dtype(DType value) {
      return dtype(new ComputeType.Fixed(value));
    }

    /** The same, or {@link ComputeType#AUTO}: as each checkpoint says. */
    public Builder dtype(ComputeType value) {
      type = value;
      return this;
    }

    /** Where the networks run; the CPU by default. */
    public Builder device(Device value) {
      device = value;
      return this;
    }

    /**
     * Loads the networks; one of the two may be absent.
     *
     * @throws OptionException when both are absent, or the device cannot be used, with the reason
     * @throws org.relaydiffusion.FileException when a file is broken or holds no network
     */
    public RelayPipeline load() {
      if (first == null && second == null) {
        throw new OptionException("a pipeline needs the checkpoint of at least one stage");
      }
      // Refuses a type that the device does not have before files are read.
      if (type instanceof ComputeType.Fixed(DType dtype)) {
        LoadOptions _ = new LoadOptions(numerics, dtype, device);
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
      LoadedNetwork loaded = LoadedNetwork.open(file, numerics, type, device);
      owned.add(loaded);
      return loaded.net();
    }
  }
}
