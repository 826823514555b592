// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.model.layer.Execution;
import org.relaydiffusion.model.unet.UNet;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorData;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Module;

/**
 * D(x; sigma) = c_skip x + c_out F(c_in x; c_noise) over a raw network F (EDM, arXiv 2206.00364,
 * section 5 and table 1). A subclass has the coefficients. Several threads may denoise with one
 * network at once; {@link #close()} waits for them, frees the weights, and is final.
 */
public abstract class Preconditioner extends Module implements Denoiser {
  private final ModelConfig config;
  private final UNet model;
  private final UseLock use = new UseLock();
  private LoadOptions options = LoadOptions.EXACT;
  private Purpose purpose = Purpose.EVALUATION;
  private Execution execution = Execution.REFERENCE;

  /** Made by its {@link PreconditionerKind}: the raw network, and the subclass's own buffers. */
  @SuppressWarnings("this-escape") // It is only registered.
  protected Preconditioner(ModelConfig config) {
    this.config = config;
    this.model = child("model", config.network().architecture().make(config.network()));
  }

  /**
   * The coefficients of one noise level.
   *
   * @param skip c_skip [N, 1, 1, 1] or [1, 1, 1, 1], or none for 1
   * @param out c_out of the same shape
   * @param in c_in of the same shape, or none for 1
   * @param noise c_noise [N] or [1]
   */
  public record Coefficients(
      @Nullable Tensor skip, Tensor out, @Nullable Tensor in, Tensor noise) {}

  /**
   * The coefficients of each noise level. Called inside a scope, which frees what is made.
   *
   * @param sigma float32 [N, 1, 1, 1] or [1, 1, 1, 1]
   */
  protected abstract Coefficients coefficients(Tensor sigma);

  /** A network without values, ready to be checked against a file, or initialised. */
  public static Preconditioner of(ModelConfig config) {
    return config.preconditioning().make(config);
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
    return NetworkMaker.loaded(config, state, options);
  }

  /** A network with the reference's first values, drawn from {@code generator} in its order. */
  public static Preconditioner initialized(
      ModelConfig config, Generator generator, LoadOptions options) {
    return NetworkMaker.initialized(config, generator, options);
  }

  /**
   * A network to be trained, with the reference's first values, drawn from {@code generator} in its
   * order. It is in training mode, and its parameters require gradients.
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
    return NetworkMaker.trainable(config, options, network -> network.initialize(generator));
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
    return NetworkMaker.trainable(config, options, network -> StateLoader.copy(network, state));
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
    return whileOpen(() -> NetworkMaker.copied(this));
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

  /** Told by who makes the network, before it is used. */
  final void loaded(LoadOptions how, Purpose why) {
    options = how;
    purpose = why;
    execution = why.execution(how);
  }

  /** What its values are for. */
  final Purpose purpose() {
    return purpose;
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
    if (isTraining() && execution instanceof Execution.Packed) {
      throw new ModelException("a network that is loaded for fast evaluation cannot be trained");
    }
    try (TensorScope scope = TensorScope.open()) {
      Tensor image = here(x);
      Coefficients c = coefficients(here(sigma).reshape(-1, 1, 1, 1));
      Tensor scaled = (c.in == null ? image : c.in.mul(image)).to(options.dtype());
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

  /**
   * Does some work with values that no other thread frees meanwhile.
   *
   * @throws ModelException when the network is closed
   */
  protected final <T> T whileOpen(Supplier<T> work) {
    return use.whileOpen(work);
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
    use.close(super::close);
  }

  /**
   * Not supported: a network's device is chosen when it is made.
   *
   * @throws ModelException always
   */
  @Override
  public final void to(Device device) {
    throw new ModelException(
        "a network cannot be moved to %s: load it again with other LoadOptions".formatted(device));
  }

  /**
   * Not supported: a network's type is chosen when it is made.
   *
   * @throws ModelException always
   */
  @Override
  public final void to(DType dtype) {
    throw new ModelException(
        "a network cannot be converted to %s: load it again with other LoadOptions"
            .formatted(dtype.torchName()));
  }

  /**
   * As {@link Module#requiresGrad(boolean)}, for a network made by {@code trainable} or copied from
   * one; others compute without gradients.
   *
   * @throws ModelException when gradients are asked of a network made to be evaluated, or this one
   *     is closed
   */
  @Override
  public final void requiresGrad(boolean wanted) {
    if (wanted && purpose != Purpose.TRAINING) {
      throw new ModelException(
          "a network that is loaded for evaluation has no gradients:"
              + " make it with Preconditioner.trainable");
    }
    whileOpen(() -> {
      super.requiresGrad(wanted);
      return wanted;
    });
  }

  /** What this network is. */
  public final ModelConfig config() {
    return config;
  }

  /** How it was loaded. */
  public final LoadOptions options() {
    return options;
  }

  /** How its layers compute. */
  public final Execution execution() {
    return execution;
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

  /** The setting {@code sigma_min}; 0 where there is none. */
  @Override
  public double sigmaMin() {
    return config.settings().has("sigma_min") ? config.settings().real("sigma_min") : 0;
  }

  /** The setting {@code sigma_max}; infinity where there is none. */
  @Override
  public double sigmaMax() {
    return config.settings().has("sigma_max")
        ? config.settings().real("sigma_max")
        : Double.POSITIVE_INFINITY;
  }

  @Override
  public double roundSigma(double sigma) {
    return sigma;
  }
}
