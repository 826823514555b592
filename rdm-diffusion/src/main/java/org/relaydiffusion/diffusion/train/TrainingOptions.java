// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.augment.AugmentOptions;
import org.relaydiffusion.diffusion.loss.EdmLoss;
import org.relaydiffusion.diffusion.loss.Loss;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.torch.CudaPrecision;
import org.relaydiffusion.torch.optim.AdamOptions;

/**
 * All options of a training run. {@link #builder} has the defaults of {@code rdm train}, which are
 * those of the reference's training script.
 *
 * @param data the training data
 * @param network the network to train
 * @param loss the loss
 * @param augment the augmentation of the images; empty for none
 * @param adam the constants of the optimizer
 * @param schedule learning rate, EMA and duration
 * @param batching how the images of a step are divided
 * @param scaling the loss scale, by which small gradients are preserved in float16
 * @param running numerics, dtype and device
 * @param tf32 whether CUDA may use TensorFloat-32; empty as in the reference, which forbids it
 * @param saving which files are written, and when
 * @param nonFiniteLoss what happens when a loss is infinite or NaN
 * @param start what the run starts from
 * @param seed of the order of the data and, with the rank, of all random numbers; 0 to 2^32 - 1
 */
public record TrainingOptions(
    TrainingData data,
    TrainingNetwork network,
    Loss loss,
    Optional<AugmentOptions> augment,
    AdamOptions adam,
    TrainingSchedule schedule,
    Batching batching,
    LossScaling scaling,
    LoadOptions running,
    Optional<CudaPrecision.Tf32> tf32,
    Saving saving,
    NonFiniteLoss nonFiniteLoss,
    Start start,
    long seed) {
  private static final long DRAWN_SEEDS = 1L << 31;

  /**
   * Checks the seed.
   *
   * @throws OptionException if it is out of range
   */
  public TrainingOptions {
    if (seed < 0 || seed > 0xffff_ffffL) {
      throw new OptionException("the training seed must be 0 to 2^32 - 1, but is " + seed);
    }
  }

  /** Returns a random seed, as of a run without {@code --seed}. */
  public static long drawSeed() {
    return ThreadLocalRandom.current().nextLong(DRAWN_SEEDS);
  }

  /**
   * Returns a builder with the defaults of {@code rdm train}, on the CPU.
   *
   * @param data a folder or zip of square images of equal size
   */
  public static Builder builder(Path data) {
    return new Builder(TrainingData.of(data));
  }

  /** Returns a builder that starts from these options. */
  public Builder toBuilder() {
    return new Builder(this);
  }

  /** The loss scale. */
  public sealed interface LossScaling {
    /** The reference's: a constant scale; gradients that overflow are clipped. */
    record Fixed(double factor) implements LossScaling {
      /**
       * Checks the scale.
       *
       * @throws OptionException if it is not above 0
       */
      public Fixed {
        if (!(factor > 0) || Double.isInfinite(factor)) {
          throw new OptionException("the loss scale must be above 0, but is " + factor);
        }
      }
    }

    /** Dynamic loss scaling: the scale is halved and the step skipped if a gradient overflows. */
    record Dynamic() implements LossScaling {}
  }

  /** What happens when a loss is infinite or NaN. */
  public enum NonFiniteLoss {
    /** It is reported at the end of the tick, and the run continues, as in the reference. */
    REPORT,
    /**
     * The run fails at the end of the tick, without saving a state that the loss may have
     * corrupted.
     */
    STOP
  }

  /** What a run starts from. */
  public sealed interface Start {
    /** Random initialization from the seed. */
    record Fresh() implements Start {}

    /** The weights of a network; everything else starts anew ({@code --transfer}). */
    record Transfer(Path checkpoint) implements Start {}

    /** The state of a run that ended early ({@code --resume}). */
    record Resume(Path state) implements Start {}
  }

  /**
   * Builds options. What is not set is as in {@code rdm train} without the option that is named
   * beside it.
   */
  public static final class Builder {
    private TrainingData data;
    private @Nullable TrainingNetwork network;
    private Loss loss = new EdmLoss();
    private Optional<AugmentOptions> augment = Optional.of(AugmentOptions.training(0.12));
    private AdamOptions adam = AdamOptions.DEFAULT;
    private TrainingSchedule schedule = TrainingSchedule.DEFAULT;
    private Batching batching = Batching.DEFAULT;
    private LossScaling scaling = new LossScaling.Fixed(1);
    private LoadOptions running = LoadOptions.DEFAULT;
    private Optional<CudaPrecision.Tf32> tf32 = Optional.empty();
    private Saving saving = Saving.DEFAULT;
    private NonFiniteLoss nonFiniteLoss = NonFiniteLoss.REPORT;
    private Start start = new Start.Fresh();
    private OptionalLong seed = OptionalLong.empty();

    private Builder(TrainingData data) {
      this.data = data;
    }

    private Builder(TrainingOptions from) {
      data = from.data;
      network = from.network;
      loss = from.loss;
      augment = from.augment;
      adam = from.adam;
      schedule = from.schedule;
      batching = from.batching;
      scaling = from.scaling;
      running = from.running;
      tf32 = from.tf32;
      saving = from.saving;
      nonFiniteLoss = from.nonFiniteLoss;
      start = from.start;
      seed = OptionalLong.of(from.seed);
    }

    /** Sets the training data: {@code TrainingData.of(path).toBuilder()...build()}. */
    public Builder data(TrainingData value) {
      data = value;
      return this;
    }

    /** Sets whether the network is conditional on the classes of the images ({@code --cond}). */
    public Builder conditional(boolean value) {
      data = data.toBuilder().labels(value).build();
      return this;
    }

    /**
     * Sets the network ({@code --arch}, {@code --cbase} and others). By default, it is {@link
     * NetworkPreset#ADM} with the preconditioner of the loss. A network that was set, or that
     * {@link #toBuilder} brought along, does not change with the loss.
     */
    public Builder network(TrainingNetwork value) {
      network = value;
      return this;
    }

    /** Sets the loss ({@code --precond}); EDM's by default, as for the first stage of the relay. */
    public Builder loss(Loss value) {
      loss = value;
      return this;
    }

    /** Sets the augmentation ({@code --augment=P} is {@code AugmentOptions.training(p)}). */
    public Builder augment(AugmentOptions value) {
      augment = Optional.of(value);
      return this;
    }

    /** Trains on the images as they are ({@code --augment=0}). */
    public Builder noAugment() {
      augment = Optional.empty();
      return this;
    }

    /** Sets the constants of the optimizer. */
    public Builder adam(AdamOptions value) {
      adam = value;
      return this;
    }

    /** Sets duration, learning rate and EMA: {@code TrainingSchedule.DEFAULT.toBuilder()...}. */
    public Builder schedule(TrainingSchedule value) {
      schedule = value;
      return this;
    }

    /**
     * Sets the duration of the run ({@code --duration}).
     *
     * @param mimg millions of images, rounded as by {@link TrainingSchedule#wholeKimg}
     */
    public Builder duration(double mimg) {
      schedule = schedule.toBuilder().totalKimg(TrainingSchedule.wholeKimg(mimg)).build();
      return this;
    }

    /** Sets the learning rate after the ramp-up ({@code --lr}). */
    public Builder learningRate(double value) {
      schedule = schedule.toBuilder().learningRate(value).build();
      return this;
    }

    /** Sets how the images of a step are divided. */
    public Builder batching(Batching value) {
      batching = value;
      return this;
    }

    /** Sets the number of images of a step over all processes ({@code --batch}). */
    public Builder batch(int images) {
      batching = new Batching(images, batching.perRound(), batching.activations());
      return this;
    }

    /** Sets the maximum number of images per round and process ({@code --batch-gpu}). */
    public Builder batchPerRound(int images) {
      batching = new Batching(batching.batch(), OptionalInt.of(images), batching.activations());
      return this;
    }

    /** Sets the loss scale ({@code --ls}). */
    public Builder scaling(LossScaling value) {
      scaling = value;
      return this;
    }

    /**
     * Sets numerics, dtype and device ({@code --numerics}, {@code --fp16}, {@code --bf16}, {@code
     * --device}); fast, in float32, on the CPU by default.
     */
    public Builder running(LoadOptions value) {
      running = value;
      return this;
    }

    /** Sets whether CUDA may use TensorFloat-32 ({@code --tf32}). */
    public Builder tf32(CudaPrecision.Tf32 value) {
      tf32 = Optional.of(value);
      return this;
    }

    /** Sets which files are written, and when: {@code Saving.DEFAULT.toBuilder()...build()}. */
    public Builder saving(Saving value) {
      saving = value;
      return this;
    }

    /** Sets what happens when a loss is infinite or NaN ({@code --stop-on-nan}). */
    public Builder nonFiniteLoss(NonFiniteLoss value) {
      nonFiniteLoss = value;
      return this;
    }

    /** Sets what the run starts from. */
    public Builder start(Start value) {
      start = value;
      return this;
    }

    /**
     * Starts from the weights of a network, without a limit of the EMA half-life, as {@code
     * --transfer} does. Set the schedule before it: a later one has its own limit.
     */
    public Builder transfer(Path checkpoint) {
      schedule = schedule.toBuilder().emaRampupRatio(OptionalDouble.empty()).build();
      return start(new Start.Transfer(checkpoint));
    }

    /** Starts from the state of a run that ended early ({@code --resume}). */
    public Builder resume(Path state) {
      return start(new Start.Resume(state));
    }

    /**
     * Sets the seed, 0 to 2^32 - 1 ({@code --seed}). By default, {@link #build} draws one; the
     * processes of a run need the same.
     */
    public Builder seed(long value) {
      seed = OptionalLong.of(value);
      return this;
    }

    /**
     * Builds the options.
     *
     * @throws OptionException if the seed is out of range
     */
    public TrainingOptions build() {
      TrainingNetwork trained =
          network == null ? TrainingNetwork.of(loss.preconditioner(), NetworkPreset.ADM) : network;
      return new TrainingOptions(
          data,
          trained,
          loss,
          augment,
          adam,
          schedule,
          batching,
          scaling,
          running,
          tf32,
          saving,
          nonFiniteLoss,
          start,
          seed.orElseGet(TrainingOptions::drawSeed));
    }
  }
}
