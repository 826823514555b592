// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.augment.AugmentPipe;
import org.relaydiffusion.diffusion.data.Batch;
import org.relaydiffusion.diffusion.data.DataLoader;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.diffusion.loss.NoiseSource;
import org.relaydiffusion.diffusion.loss.TrainedDenoiser;
import org.relaydiffusion.diffusion.random.InfiniteSampler;
import org.relaydiffusion.diffusion.random.TrainingSeed;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.torch.ActivationCheckpoints;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.amp.DynamicLossScaler;
import org.relaydiffusion.torch.amp.LossScaler;
import org.relaydiffusion.torch.amp.StaticLossScaler;
import org.relaydiffusion.torch.distributed.DistributedDataParallel;
import org.relaydiffusion.torch.nn.Parameter;
import org.relaydiffusion.torch.optim.Adam;
import org.relaydiffusion.torch.optim.ExponentialMovingAverage;
import org.relaydiffusion.torch.optim.Gradients;

/**
 * Everything that changes from step to step: the network, its EMA, the optimizer, the generators
 * and the position in the data. {@link #step()} is the training algorithm; {@link Trainer} writes
 * files and reports.
 */
final class TrainingRun implements AutoCloseable {
  private static final int SMALL = 64;
  private static final double SMALL_DIVISOR = 32;
  private static final double DIVISOR = 256;

  private final TrainingOptions options;
  private final World world;
  private final ImageFolderDataset dataset;
  private final InfiniteSampler order;
  private final NoiseSource noise;
  private final Preconditioner network;
  private final Preconditioner average;
  private final Adam adam;
  private final LossScaler scaler;
  private final @Nullable AugmentPipe augment;
  private final LossStatistics losses = new LossStatistics();
  private StepObserver observer = StepObserver.NONE;
  private @Nullable DistributedDataParallel parallel;
  private @Nullable DataLoader loader;
  private @Nullable RecordedRun recorded;
  private long images;
  private double learningRate;

  /**
   * Initializes everything in the reference's order, which is the order of its random draws.
   *
   * @param dataset the data, which remains owned by the caller
   */
  TrainingRun(TrainingOptions options, World world, ImageFolderDataset dataset) {
    this.options = options;
    this.world = world;
    this.dataset = dataset;
    options.batching().check(world.size());
    requireSameSize(world, dataset);
    Device device = options.running().device();
    Generator host = Generator.global();
    noise =
        new NoiseSource(host, device.type() == Device.Type.CPU ? host : Generator.global(device));
    long seed = TrainingSeed.of(options.seed(), world.rank(), world.size());
    noise.host().seed(seed);
    if (noise.device() != host) {
      noise.device().seed(seed);
    }
    order =
        InfiniteSampler.shuffled(
            dataset.size(),
            world.rank(),
            world.size(),
            options.seed(),
            InfiniteSampler.DEFAULT_WINDOW);
    // The reference's data loader draws a seed for its workers, which is then not used.
    long _ = host.randomInt64();
    network = Preconditioner.trainable(config(options, dataset), host, options.running());
    try {
      if (world.isFirst()) {
        drawSummary();
      }
      average = network.copyForEvaluation();
      adam = adam(network.parameters(), options);
      scaler = scaler(options.scaling());
      Numerics numerics = options.running().numerics();
      augment = options.augment().map(a -> new AugmentPipe(a, numerics)).orElse(null);
    } catch (RuntimeException e) {
      network.close();
      throw e;
    }
  }

  /** Processes may have copies of the data at different paths. */
  private static void requireSameSize(World world, ImageFolderDataset dataset) {
    int most = world.most(dataset.size());
    int fewest = -world.most(-dataset.size());
    if (most != fewest) {
      throw new RdmException(
          ("%s has %s items here, but the processes of this run have %s to %s: their data must be"
                  + " equal")
              .formatted(dataset.name(), dataset.size(), fewest, most));
    }
  }

  private static Adam adam(List<Parameter> parameters, TrainingOptions options) {
    return switch (options.running().numerics()) {
      case EXACT -> Adam.reference(parameters, options.adam());
      case FAST -> new Adam(parameters, options.adam());
    };
  }

  private static LossScaler scaler(TrainingOptions.LossScaling scaling) {
    return switch (scaling) {
      case TrainingOptions.LossScaling.Fixed(double factor) -> new StaticLossScaler(factor);
      case TrainingOptions.LossScaling.Dynamic() ->
          new DynamicLossScaler(DynamicLossScaler.Options.DEFAULT);
    };
  }

  /**
   * Returns the configuration of the network for a data set.
   *
   * @throws org.relaydiffusion.OptionException if the format of snapshots lacks the network or the
   *     loss
   * @throws RdmException if the arguments do not define a network
   */
  static ModelConfig config(TrainingOptions options, ImageFolderDataset dataset) {
    ModelConfig config = ModelConfig.of(options.network().className(), kwargs(options, dataset));
    SnapshotFormatCheck.require(options, config);
    return config;
  }

  /** Returns all arguments of the network, those of the data set first. */
  static Map<String, @Nullable Object> kwargs(TrainingOptions options, ImageFolderDataset dataset) {
    Map<String, @Nullable Object> kwargs = new LinkedHashMap<>();
    kwargs.put("img_resolution", (long) dataset.resolution());
    kwargs.put("img_channels", (long) dataset.channels());
    kwargs.put("label_dim", (long) dataset.labelDim());
    // The official code does not support bfloat16: such a network computes in float32 there.
    kwargs.put("use_fp16", options.running().dtype() == DType.FLOAT16);
    if (options.augment().isPresent()) {
      kwargs.put("augment_dim", (long) options.augment().get().labelDim());
    }
    // Given values take precedence: a run can be repeated from its own options.
    kwargs.putAll(options.network().kwargs(dataset.resolution()));
    return kwargs;
  }

  /**
   * The reference prints a summary of the network, for which it runs a batch of zeros through it in
   * training mode; with dropout, this advances the generator of the first process.
   */
  private void drawSummary() {
    int n = options.batching().round(world.size());
    Device device = options.running().device();
    try (var _ = GradMode.noGrad();
        var _ = TensorScope.open()) {
      Tensor zeros =
          Torch.full(
              0,
              DType.FLOAT32,
              device,
              n,
              network.channels(),
              network.resolution(),
              network.resolution());
      Tensor _ =
          network.denoise(
              zeros,
              Torch.full(1, DType.FLOAT32, device, n),
              network.labelDim() == 0
                  ? null
                  : Torch.full(0, DType.FLOAT32, device, n, network.labelDim()));
    }
  }

  /**
   * Starts the run: from now on, processes step together. The initial weights must have been set.
   *
   * @param imagesSoFar the position in the data
   */
  void begin(long imagesSoFar) {
    beginAt(imagesSoFar, imagesSoFar);
  }

  /**
   * Starts as {@link #begin}, with the data at another position: the reference's starts anew on
   * resuming.
   */
  void beginAt(long imagesSoFar, long imagesRead) {
    images = imagesSoFar;
    if (world.size() > 1) {
      parallel = new DistributedDataParallel(network, world.group().orElseThrow(), world.ddp());
    }
    order.skip(imagesRead / world.size());
    loader =
        new DataLoader(
            dataset,
            order,
            options.batching().round(world.size()),
            options.data().workers(),
            options.running().device());
  }

  /**
   * Waits for the data of the next step, which then starts without waiting and cannot fail because
   * of it.
   *
   * @throws org.relaydiffusion.RdmException naming the file, if an image cannot be read
   * @throws org.relaydiffusion.CancelledException if the thread is interrupted while waiting
   */
  void prepare() {
    begun().prepare(options.batching().rounds(world.size()));
  }

  private DataLoader begun() {
    DataLoader batches = loader;
    if (batches == null) {
      throw new IllegalStateException("the run has not begun");
    }
    return batches;
  }

  /** Performs one step of all processes: the gradients of every round, then the update. */
  void step() {
    DataLoader batches = begun();
    int rounds = options.batching().rounds(world.size());
    for (int round = 1; round <= rounds; round++) {
      try (Batch batch = batches.next()) {
        accumulate(batch, noise, round == rounds);
      }
    }
    update();
  }

  /**
   * Accumulates the gradients of a round.
   *
   * @param last whether the gradients of the processes are averaged after it
   */
  void accumulate(Batch batch, NoiseSource random, boolean last) {
    DistributedDataParallel ddp = parallel;
    if (ddp == null || last) {
      backward(batch, random, ddp);
    } else {
      try (var _ = ddp.noSync()) {
        backward(batch, random, ddp);
      }
    }
  }

  private void backward(Batch batch, NoiseSource random, @Nullable DistributedDataParallel ddp) {
    try (var _ = TensorScope.open();
        ActivationCheckpoints _ = checkpoints()) {
      Tensor loss = ddp == null ? loss(batch, random) : ddp.forward(() -> loss(batch, random));
      losses.add(loss);
      observer.round(batch.indices(), loss);
      double divisor = network.resolution() == SMALL ? SMALL_DIVISOR : DIVISOR;
      Tensor total = Reduction.sum(loss, Reduction.KeepDim.NO).mul(scaler.scale() / divisor);
      if (ddp == null) {
        total.backward();
      } else {
        // The gradients are the same; if a peer fails in the meantime, its error is reported with a
        // better message.
        ddp.backward(total);
      }
    }
  }

  private @Nullable ActivationCheckpoints checkpoints() {
    return options.batching().activations() == Batching.Activations.RECOMPUTED
        ? ActivationCheckpoints.open()
        : null;
  }

  private Tensor loss(Batch batch, NoiseSource random) {
    try (TensorScope scope = TensorScope.open()) {
      Tensor pixels =
          batch
              .images()
              .to(options.running().device())
              .to(DType.FLOAT32)
              .div(127.5)
              .sub(Torch.scalar(1.0));
      Tensor labels =
          network.labelDim() == 0 ? null : batch.labels().to(options.running().device());
      return scope.keep(options.loss().of(denoiser(), pixels, labels, augment, random));
    }
  }

  /** Returns the network as called by losses. */
  private TrainedDenoiser denoiser() {
    return new TrainedDenoiser() {
      @Override
      public Tensor denoise(
          Tensor x, Tensor sigma, @Nullable Tensor labels, @Nullable Tensor augmentation) {
        return network.denoise(x, sigma, labels, augmentation);
      }

      @Override
      public Numerics numerics() {
        return options.running().numerics();
      }
    };
  }

  /** Applies the gradients, and clears them. */
  void update() {
    learningRate = options.schedule().learningRateAt(images);
    List<Parameter> parameters = network.parameters();
    observer.gradients(parameters);
    if (scaler.unscale(parameters)) {
      Gradients.replaceNonFinite(parameters);
      adam.step(learningRate);
    }
    adam.clearGradients();
    double beta = options.schedule().emaBetaAt(images, options.batching().batch());
    boolean fused =
        options.running().numerics() == Numerics.FAST
            && options.running().device().type() == Device.Type.CUDA;
    if (fused) {
      ExponentialMovingAverage.updateFused(average.parameters(), parameters, beta);
    } else {
      ExponentialMovingAverage.update(average.parameters(), parameters, beta);
    }
    images += options.batching().batch();
  }

  /** Shows every later step to {@code wanted}. */
  void observe(StepObserver wanted) {
    observer = wanted;
  }

  /** Returns the number of images trained on so far, over all processes. */
  long images() {
    return images;
  }

  /** Returns the learning rate of the last step. */
  double learningRate() {
    return learningRate;
  }

  /** Returns the trained network. */
  Preconditioner network() {
    return network;
  }

  /** Returns its EMA, which is used for sampling. */
  Preconditioner average() {
    return average;
  }

  /** Returns the optimizer. */
  Adam adam() {
    return adam;
  }

  /** Returns the loss scaler. */
  LossScaler scaler() {
    return scaler;
  }

  /** Returns the source of noise. */
  NoiseSource noise() {
    return noise;
  }

  /** Returns the constructor arguments of the network. */
  Map<String, @Nullable Object> kwargs() {
    return kwargs(options, dataset);
  }

  /** Returns the options under the reference's names. */
  Map<String, @Nullable Object> resolved() {
    return ResolvedOptions.of(options, dataset, world.size());
  }

  /** Returns the record for states of this run. */
  RecordedRun recorded() {
    if (recorded == null) {
      recorded = new RecordedRun(resolved(), dataset.contents());
    }
    return recorded;
  }

  /** Restores a state; with its generators, or with new random numbers. */
  void restore(ResumePoint point, int rank, boolean generators) {
    if (options.scaling() instanceof TrainingOptions.LossScaling.Dynamic) {
      scaler.restore(point.scaler());
    }
    if (generators) {
      point.restore(rank, noise.host(), noise.device());
    }
  }

  /** Returns this process's losses since they were last taken. */
  LossStatistics.Counted takeLosses() {
    return losses.take();
  }

  /** Returns the losses as {@link #takeLosses}, without resetting them. */
  LossStatistics.Counted peekLosses() {
    return losses.peek();
  }

  @Override
  public void close() {
    if (loader != null) {
      loader.close();
    }
    if (parallel != null) {
      parallel.close();
    }
    losses.close();
    adam.close();
    average.close();
    network.close();
  }
}
