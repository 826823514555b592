// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.augment.AugmentOptions;
import org.relaydiffusion.diffusion.loss.Loss;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.torch.CudaPrecision;
import org.relaydiffusion.torch.optim.AdamOptions;

/**
 * All options of a training run.
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
    Data data,
    Network network,
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
  /** Creates options without TensorFloat-32, as in the reference. */
  public TrainingOptions(
      Data data,
      Network network,
      Loss loss,
      Optional<AugmentOptions> augment,
      AdamOptions adam,
      TrainingSchedule schedule,
      Batching batching,
      LossScaling scaling,
      LoadOptions running,
      Saving saving,
      NonFiniteLoss nonFiniteLoss,
      Start start,
      long seed) {
    this(
        data,
        network,
        loss,
        augment,
        adam,
        schedule,
        batching,
        scaling,
        running,
        Optional.empty(),
        saving,
        nonFiniteLoss,
        start,
        seed);
  }

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

  /**
   * The data set.
   *
   * @param path a folder or zip of square images of equal size
   * @param labels whether the network is conditional on their classes
   * @param xflip whether a mirrored copy of each image is added
   * @param maxSize maximum number of images; all if empty
   * @param cache whether decoded images are kept in memory
   * @param workers number of threads that decode ahead of the step, at least 0
   * @param without names of images to skip
   */
  public record Data(
      Path path,
      boolean labels,
      boolean xflip,
      OptionalInt maxSize,
      boolean cache,
      int workers,
      Set<String> without) {
    /** Creates a data set with all of its images. */
    public Data(
        Path path, boolean labels, boolean xflip, OptionalInt maxSize, boolean cache, int workers) {
      this(path, labels, xflip, maxSize, cache, workers, Set.of());
    }

    /** Returns this data set without some images. */
    public Data without(Set<String> names) {
      return new Data(path, labels, xflip, maxSize, cache, workers, Set.copyOf(names));
    }
  }

  /**
   * The network.
   *
   * @param className the class of the preconditioner, such as {@code EDMPrecond}
   * @param kwargs its arguments, without those determined by the data set
   */
  public record Network(String className, Map<String, @Nullable Object> kwargs) {
    /** Copies the arguments, keeping their order. */
    public Network {
      kwargs = Collections.unmodifiableMap(new LinkedHashMap<>(kwargs));
    }
  }

  /**
   * How the images of a step are divided.
   *
   * @param batch number of images of a step over all processes
   * @param perRound maximum number of images per round and process ({@code --batch-gpu}); empty for
   *     the complete share
   * @param activations whether the activations of a round are kept for its backward pass
   */
  public record Batching(int batch, OptionalInt perRound, Activations activations) {
    /** Keeps the activations. */
    public Batching(int batch, OptionalInt perRound) {
      this(batch, perRound, Activations.KEPT);
    }

    /** Returns the number of images of one round of one process of {@code processes}. */
    public int round(int processes) {
      int share = share(processes);
      return Math.min(perRound.orElse(share), share);
    }

    /** Returns the number of rounds of a step, whose gradients are accumulated. */
    public int rounds(int processes) {
      return share(processes) / round(processes);
    }

    private int share(int processes) {
      return batch / processes;
    }

    /**
     * Checks that the batch divides evenly.
     *
     * @throws OptionException if it does not
     */
    public void check(int processes) {
      if (batch < 1) {
        throw new OptionException("--batch must be at least 1, but is " + batch);
      }
      if (batch % processes != 0) {
        throw new OptionException(
            "--batch=%s is not divisible by %s processes".formatted(batch, processes));
      }
      if (perRound.orElse(1) < 1 || share(processes) % round(processes) != 0) {
        throw new OptionException(
            "--batch-gpu=%s does not divide the %s images of each process"
                .formatted(perRound.orElse(1), share(processes)));
      }
    }
  }

  /** What a round's backward pass has of its forward pass. */
  public enum Activations {
    /** All that it needs. */
    KEPT,
    /**
     * The inputs of the network's blocks, each of which is computed again: less memory, more time,
     * the same gradients.
     */
    RECOMPUTED
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

  /**
   * Which files are written, and when. A tick is {@code tickKimg} thousand images.
   *
   * @param snapshotTicks ticks between network snapshots; empty for never
   * @param snapshotFormat of the network's file
   * @param stateTicks ticks between training states; empty for never
   * @param stateTime time without a state after which one is saved regardless of ticks; empty for
   *     never
   * @param keptStates number of states to keep, at least 1; all if empty
   * @param sampleTicks ticks between grids of samples; empty for never
   */
  public record Saving(
      double tickKimg,
      OptionalInt snapshotTicks,
      SnapshotFormat snapshotFormat,
      OptionalInt stateTicks,
      Optional<Duration> stateTime,
      OptionalInt keptStates,
      OptionalInt sampleTicks) {
    /** Checks the values. */
    public Saving {
      if (!(tickKimg > 0) || Double.isInfinite(tickKimg)) {
        throw new OptionException("a tick must be above 0 kimg, but is " + tickKimg);
      }
      check("network snapshots", snapshotTicks);
      check("training states", stateTicks);
      check("sample grids", sampleTicks);
      if (stateTime.filter(time -> !time.isPositive()).isPresent()) {
        throw new OptionException("the time between training states must be above 0");
      }
      if (keptStates.orElse(1) < 1) {
        throw new OptionException(
            "at least 1 training state must be kept, but found " + keptStates.getAsInt());
      }
    }

    private static void check(String what, OptionalInt ticks) {
      if (ticks.orElse(1) < 1) {
        throw new OptionException(
            "the interval of %s must be at least 1 tick, but is %s"
                .formatted(what, ticks.getAsInt()));
      }
    }
  }

  /** The format of network snapshots. */
  public enum SnapshotFormat {
    /** For this project and any safetensors reader. */
    SAFETENSORS,
    /** For the official Python code. */
    PKL,
    /** Both formats. */
    BOTH
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
}
