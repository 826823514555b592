package org.relaydiffusion.model;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.model.layer.Conv2d;
import org.relaydiffusion.model.unet.UNet;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.MemoryFormat;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorData;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Module;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * D(x; sigma) = c_skip x + c_out F(c_in x; c_noise) over a U-Net F (EDM, arXiv 2206.00364, section
 * 5 and table 1). Several threads may denoise with one network at once; {@link #close()} waits for
 * them, frees the weights, and is final.
 */
public abstract sealed class Preconditioner extends Module implements Denoiser
    permits EdmPreconditioner, VpPreconditioner, VePreconditioner, IddpmPreconditioner {
  private static final int LAST_ROW_MAJOR_RESOLUTION = 8;

  private final ModelConfig config;
  private final UNet model;
  private LoadOptions options = LoadOptions.EXACT;
  private Use purpose = Use.EVALUATION;

  /** What the values are for. */
  private enum Use {
    /** They are never written, and may be packed. */
    EVALUATION,
    /** An optimizer or an average writes them in place. */
    TRAINING
  }

  /** Whoever uses the values holds it for reading, closing for writing. */
  private final ReentrantReadWriteLock use = new ReentrantReadWriteLock();

  private boolean closed;

  /** Made by {@link #of}. */
  Preconditioner(ModelConfig config) {
    this.config = config;
    this.model = UNet.of(config.network());
  }

  /** Registers the U-Net, after the preconditioner's own buffers. */
  final void registerModel() {
    child("model", model);
  }

  /** The coefficients of one noise level, each [N, 1, 1, 1] or [1, 1, 1, 1] but for the last. */
  record Coefficients(@Nullable Tensor skip, Tensor out, @Nullable Tensor in, Tensor noise) {}

  /** The coefficients for sigma, float32 [N, 1, 1, 1] or [1, 1, 1, 1]; noise is [N] or [1]. */
  abstract Coefficients coefficients(Tensor sigma);

  /** A network without values, ready to be checked against a file, or initialised. */
  public static Preconditioner of(ModelConfig config) {
    return switch (config.preconditioning()) {
      case EDM -> new EdmPreconditioner(config);
      case VP -> new VpPreconditioner(config);
      case VE -> new VePreconditioner(config);
      case IDDPM -> new IddpmPreconditioner(config);
    };
  }

  /**
   * A network with a file's values, for evaluation.
   *
   * @param state every parameter and buffer by name. Tensors that fit are used where they lie, in
   *     memory as {@link Torch#fromData} takes it
   * @throws ModelException when the state is not this network's
   * @throws org.relaydiffusion.OptionException when the device cannot be used, with the reason
   */
  public static Preconditioner load(
      ModelConfig config, Map<String, TensorData> state, LoadOptions options) {
    ready(options);
    Preconditioner network = of(config);
    try {
      StateLoader.checkData(network, state);
      network.options = options;
      network.fill(state);
      return network;
    } catch (RuntimeException e) {
      network.close();
      throw e;
    }
  }

  /** A network with the reference's first values, drawn from {@code generator} in its order. */
  public static Preconditioner initialized(
      ModelConfig config, Generator generator, LoadOptions options) {
    ready(options);
    Preconditioner network = of(config);
    try {
      network.initialize(generator);
      network.prepare(options);
      return network;
    } catch (RuntimeException e) {
      network.close();
      throw e;
    }
  }

  /**
   * A network to be trained, with the reference's first values, drawn from {@code generator} in its
   * order. It is in training mode, and its parameters want gradients.
   *
   * <p>With {@link Numerics#FAST}, weights of convolutions on the CPU lie in channels-last order:
   * {@code value().contiguous()} gives their elements in the order of a file. With bfloat16 or
   * float16, parameters and their gradients stay float32; weights are converted where they are
   * used.
   *
   * @throws org.relaydiffusion.OptionException when the device cannot be used, with the reason
   */
  public static Preconditioner trainable(
      ModelConfig config, Generator generator, LoadOptions options) {
    return trainable(config, options, network -> network.initialize(generator));
  }

  /**
   * As {@link #trainable(ModelConfig, Generator, LoadOptions)}, with the values of a file, which
   * are copied.
   *
   * @param state every parameter and buffer by name
   * @throws ModelException when the state is not this network's
   */
  public static Preconditioner trainable(
      ModelConfig config, Map<String, TensorData> state, LoadOptions options) {
    return trainable(config, options, network -> StateLoader.copy(network, state));
  }

  private static Preconditioner trainable(
      ModelConfig config, LoadOptions options, Consumer<Preconditioner> values) {
    ready(options);
    Preconditioner network = of(config);
    try (GradMode _ = GradMode.noGrad()) {
      values.accept(network);
      network.purpose = Use.TRAINING;
      network.prepare(options);
      network.parameters().forEach(p -> p.value().requiresGrad(true));
      network.train(true);
      return network;
    } catch (RuntimeException e) {
      network.close();
      throw e;
    }
  }

  /**
   * A network of its own with the same values and options, in evaluation mode and without
   * gradients. Its values lie in memory as this network's do and may be written in place, as an
   * average of a network in training is; a network that was loaded to be evaluated cannot be
   * copied.
   *
   * @throws ModelException when this network was not made by {@code trainable}, or is closed
   */
  public final Preconditioner copyForEvaluation() {
    if (purpose != Use.TRAINING) {
      throw new ModelException("only a network that is made to be trained can be copied");
    }
    return whileOpen(() -> copied(of(config)));
  }

  private Preconditioner copied(Preconditioner copy) {
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open()) {
      Map<String, Parameter> mine = state();
      copy.state()
          .forEach((name, p) -> p.set(Shapes.copy(Objects.requireNonNull(mine.get(name)).value())));
      copy.purpose = purpose;
      copy.prepare(options);
      return copy;
    } catch (RuntimeException e) {
      copy.close();
      throw e;
    }
  }

  private static void ready(LoadOptions options) {
    Torch.requireUsable(options.device());
    if (options.device().type() == Device.Type.CUDA && options.numerics() == Numerics.EXACT) {
      Torch.forbidTf32();
    }
  }

  /**
   * Checks that a file's tensors and modules are those of a configuration, without loading them.
   *
   * @param state every tensor by name
   * @param modules the paths of the file's modules, where it lists them
   * @throws ModelException saying what does not fit
   */
  public static void check(
      ModelConfig config, Map<String, TensorShape> state, Collection<String> modules) {
    try (Preconditioner network = of(config)) {
      StateLoader.check(network, state);
      StateLoader.checkModules(network, modules);
    }
  }

  /** The shapes of a configuration's parameters and buffers by name, without making them. */
  public static Map<String, long[]> shapes(ModelConfig config) {
    try (Preconditioner network = of(config)) {
      Map<String, long[]> shapes = new LinkedHashMap<>();
      network.state().forEach((name, p) -> shapes.put(name, p.shape()));
      return shapes;
    }
  }

  /** Module by module, so that what is packed elsewhere need not stay in memory here as well. */
  private void fill(Map<String, TensorData> state) {
    if (packs()) {
      // Checking a file's checksums reads all of it; a second copy is about to grow beside that.
      state.values().forEach(TensorData::unload);
    }
    walk((path, module) -> {
      String prefix = path.isEmpty() ? "" : path + ".";
      for (Parameter p : module.ownState()) {
        StateLoader.set(p, StateLoader.data(state, prefix + p.name()), options.device());
      }
      if (packs() && module instanceof Conv2d conv) {
        conv.pack(options.dtype());
        conv.ownState().forEach(p -> StateLoader.data(state, prefix + p.name()).unload());
      }
    });
  }

  /** Readies values that are set already: moves them to the device, and packs what can be. */
  final void prepare(LoadOptions wanted) {
    options = wanted;
    if (wanted.device().type() != Device.Type.CPU) {
      state().values().forEach(p -> p.set(p.value().to(wanted.device())));
    }
    walk((_, module) -> {
      if (!(module instanceof Conv2d conv)) {
        return;
      }
      if (packs()) {
        conv.pack(wanted.dtype());
      } else if (wanted.numerics() == Numerics.FAST && purpose == Use.TRAINING) {
        conv.direct(format(conv));
      }
    });
  }

  /**
   * The order in which a convolution is trained. The gradient of a weight in channels-last order is
   * written twice, which tells where weights outnumber activations.
   */
  private MemoryFormat format(Conv2d conv) {
    return options.device().type() == Device.Type.CPU
            && conv.config().resolution() > LAST_ROW_MAJOR_RESOLUTION
        ? MemoryFormat.CHANNELS_LAST
        : MemoryFormat.CONTIGUOUS;
  }

  private boolean packs() {
    return purpose == Use.EVALUATION
        && options.numerics() == Numerics.FAST
        && options.device().type() == Device.Type.CPU;
  }

  @Override
  public final Tensor denoise(Tensor x, Tensor sigma, @Nullable Tensor labels) {
    return denoise(x, sigma, labels, null);
  }

  /**
   * As {@link Denoiser#denoise}, with augmentation labels. Operands that lie elsewhere are moved to
   * the network's device, where the result is.
   *
   * @param augment [N, augmentDim] or [1, augmentDim], or none
   * @throws ModelException when an operand does not fit, the network is closed, or it was loaded
   *     for {@link Numerics#FAST} evaluation and is in training mode
   */
  public final Tensor denoise(
      Tensor x, Tensor sigma, @Nullable Tensor labels, @Nullable Tensor augment) {
    Operands.check(config, x, sigma, labels, augment);
    return whileOpen(() -> denoised(x, sigma, labels, augment));
  }

  private Tensor denoised(
      Tensor x, Tensor sigma, @Nullable Tensor labels, @Nullable Tensor augment) {
    if (isTraining() && packs()) {
      throw new ModelException("a network that is loaded for fast evaluation cannot be trained");
    }
    try (TensorScope scope = TensorScope.open()) {
      Tensor image = here(x);
      Coefficients c = coefficients(here(sigma).reshape(-1, 1, 1, 1));
      Tensor scaled = (c.in == null ? image : c.in.mul(image)).to(options.dtype());
      if (packs()) {
        scaled = Shapes.contiguous(scaled, MemoryFormat.CHANNELS_LAST);
      }
      Tensor rows = augment == null ? null : here(augment);
      Tensor f = model.forward(scaled, c.noise, oneHot(labels), rows);
      if (f.size(1) != config.channels()) {
        f = Shapes.narrow(f, 1, 0, config.channels());
      }
      Tensor out = c.out.mul(f.to(DType.FLOAT32));
      Tensor kept = c.skip == null ? image : c.skip.mul(image);
      return scope.keep(kept.add(out).contiguous());
    }
  }

  /** Runs with values that no other thread frees meanwhile. */
  final <T> T whileOpen(Supplier<T> work) {
    use.readLock().lock();
    try {
      if (closed) {
        throw new ModelException("this network is closed");
      }
      return work.get();
    } finally {
      use.readLock().unlock();
    }
  }

  /** An operand in float32 on the network's device. */
  private Tensor here(Tensor operand) {
    return operand.to(options.device()).to(DType.FLOAT32);
  }

  private @Nullable Tensor oneHot(@Nullable Tensor labels) {
    if (config.labelDim() == 0) {
      return null;
    }
    // No label is the unconditional branch of guidance: a row of zeros.
    return labels == null
        ? Torch.full(0, DType.FLOAT32, options.device(), 1, config.labelDim())
        : here(labels);
  }

  /**
   * Waits for the threads that denoise, then frees every value. Closing twice is allowed.
   *
   * @throws IllegalStateException when called from inside its own {@link #denoise}
   */
  @Override
  public final void close() {
    if (use.getReadHoldCount() > 0) {
      throw new IllegalStateException("a network cannot be closed from inside its own evaluation");
    }
    use.writeLock().lock();
    try {
      closed = true;
      super.close();
    } finally {
      use.writeLock().unlock();
    }
  }

  /** What this network is. */
  public final ModelConfig config() {
    return config;
  }

  /** How it was loaded. */
  public final LoadOptions options() {
    return options;
  }

  @Override
  public final int resolution() {
    return config.resolution();
  }

  @Override
  public final int channels() {
    return config.channels();
  }

  @Override
  public final int labelDim() {
    return config.labelDim();
  }

  @Override
  public double sigmaMin() {
    return config.sigmaMin();
  }

  @Override
  public double sigmaMax() {
    return config.sigmaMax();
  }

  @Override
  public double roundSigma(double sigma) {
    return sigma;
  }
}
