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
import org.relaydiffusion.torch.optim.AdamOptions;

/**
 * Everything that a training run is made of.
 *
 * @param data what is trained on
 * @param network what is trained
 * @param loss how wrong it is
 * @param augment how the images are changed first; empty for not at all
 * @param adam the optimizer's constants
 * @param schedule learning rate, moving average and length
 * @param batching how a step's images are divided
 * @param scaling what the loss is multiplied by, so that small gradients survive in float16
 * @param running numerics, type and device
 * @param saving which files are written, and when
 * @param nonFiniteLoss what happens when a loss is infinite or NaN
 * @param start what the run begins with
 * @param seed of the data's order and, with the rank, of every draw; at least 0
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
    Saving saving,
    NonFiniteLoss nonFiniteLoss,
    Start start,
    long seed) {
  /** Checks the seed. */
  public TrainingOptions {
    if (seed < 0 || seed > 0xffff_ffffL) {
      throw new OptionException("a training seed is 0 to 2^32 - 1, not " + seed);
    }
  }

  /**
   * The data set.
   *
   * @param path a folder or zip of equal square images
   * @param labels whether the network is told their classes
   * @param xflip whether each image is in the set a second time, mirrored
   * @param maxSize at most how many images are used; empty for all
   * @param cache whether decoded images stay in memory
   * @param workers threads that decode ahead of the step, at least 0
   * @param without names of pictures that are left out of the set
   */
  public record Data(
      Path path,
      boolean labels,
      boolean xflip,
      OptionalInt maxSize,
      boolean cache,
      int workers,
      Set<String> without) {
    /** All pictures of the set. */
    public Data(
        Path path, boolean labels, boolean xflip, OptionalInt maxSize, boolean cache, int workers) {
      this(path, labels, xflip, maxSize, cache, workers, Set.of());
    }

    /** This without some pictures. */
    public Data without(Set<String> names) {
      return new Data(path, labels, xflip, maxSize, cache, workers, Set.copyOf(names));
    }
  }

  /**
   * The network.
   *
   * @param className the preconditioner's class, as {@code EDMPrecond}
   * @param kwargs its arguments, without those that the data set decides
   */
  public record Network(String className, Map<String, @Nullable Object> kwargs) {
    /** Keeps the order. */
    public Network {
      kwargs = Collections.unmodifiableMap(new LinkedHashMap<>(kwargs));
    }
  }

  /**
   * How the images of a step are divided.
   *
   * @param batch images of a step over all processes
   * @param perRound at most how many one process takes at once ({@code --batch-gpu}); empty for all
   *     of its share
   */
  public record Batching(int batch, OptionalInt perRound) {
    /** Images of one round of one process of {@code processes}. */
    public int round(int processes) {
      int share = share(processes);
      return Math.min(perRound.orElse(share), share);
    }

    /** Rounds of a step, whose gradients are added up. */
    public int rounds(int processes) {
      return share(processes) / round(processes);
    }

    private int share(int processes) {
      return batch / processes;
    }

    /**
     * Checks that nothing is left over.
     *
     * @throws OptionException when it is
     */
    public void check(int processes) {
      if (batch < 1) {
        throw new OptionException("the batch has at least 1 image, not " + batch);
      }
      if (batch % processes != 0) {
        throw new OptionException(
            "a batch of %s does not divide over %s processes".formatted(batch, processes));
      }
      if (perRound.orElse(1) < 1 || share(processes) % round(processes) != 0) {
        throw new OptionException(
            "a process's %s images do not divide into rounds of %s (batch-gpu)"
                .formatted(share(processes), perRound.orElse(1)));
      }
    }
  }

  /** What the loss is multiplied by. */
  public sealed interface LossScaling {
    /** The reference's: one factor, and gradients that overflow are cut off. */
    record Fixed(double factor) implements LossScaling {
      /** Checks the factor. */
      public Fixed {
        if (!(factor > 0) || Double.isInfinite(factor)) {
          throw new OptionException("the loss scale must be above 0, not " + factor);
        }
      }
    }

    /** A factor that halves, and the step is left out, when a gradient overflows. */
    record Dynamic() implements LossScaling {}
  }

  /**
   * Which files are written, and when. A tick is {@code tickKimg} thousand images.
   *
   * @param snapshotTicks every how many ticks the network; empty for never
   * @param snapshotFormat of the network's file
   * @param stateTicks every how many ticks the whole state; empty for never
   * @param stateTime after how long without a state one is saved whatever the tick; empty for never
   * @param keptStates how many states stay, the newest ones, at least 1; empty for all
   * @param sampleTicks every how many ticks a grid of samples; empty for never
   */
  public record Saving(
      double tickKimg,
      OptionalInt snapshotTicks,
      SnapshotFormat snapshotFormat,
      OptionalInt stateTicks,
      Optional<Duration> stateTime,
      OptionalInt keptStates,
      OptionalInt sampleTicks) {
    /** Checks the numbers. */
    public Saving {
      if (!(tickKimg > 0) || Double.isInfinite(tickKimg)) {
        throw new OptionException("a tick is above 0 kimg, not " + tickKimg);
      }
      check("network snapshots", snapshotTicks);
      check("training states", stateTicks);
      check("sample grids", sampleTicks);
      if (stateTime.filter(time -> !time.isPositive()).isPresent()) {
        throw new OptionException("the time between training states must be above 0");
      }
      if (keptStates.orElse(1) < 1) {
        throw new OptionException(
            "at least 1 training state is kept, not " + keptStates.getAsInt());
      }
    }

    private static void check(String what, OptionalInt ticks) {
      if (ticks.orElse(1) < 1) {
        throw new OptionException(
            "%s come every 1 tick or more, not %s".formatted(what, ticks.getAsInt()));
      }
    }
  }

  /** What a network's snapshot is written as. */
  public enum SnapshotFormat {
    /** For this project and any safetensors reader. */
    SAFETENSORS,
    /** For the official Python code. */
    PKL,
    /** One of each. */
    BOTH
  }

  /** What happens when a loss is infinite or NaN. */
  public enum NonFiniteLoss {
    /** It is said at the end of its tick, and the run goes on, as the reference's does. */
    REPORT,
    /** The run fails at the end of its tick, without saving what the loss may have spoiled. */
    STOP
  }

  /** What a run begins with. */
  public sealed interface Start {
    /** The initialisation drawn from the seed. */
    record Fresh() implements Start {}

    /** A network's weights; everything else begins anew ({@code --transfer}). */
    record Transfer(Path checkpoint) implements Start {}

    /** The state of a run that ended early ({@code --resume}). */
    record Resume(Path state) implements Start {}
  }
}
