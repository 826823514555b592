// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.sampler.NoiseLevels;
import org.relaydiffusion.diffusion.sampler.Solvers;
import org.relaydiffusion.diffusion.schedule.AlignYourSteps;
import org.relaydiffusion.diffusion.schedule.LevelSchedule;
import org.relaydiffusion.diffusion.schedule.LevelSearch;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.Tensor;

/**
 * Fits the noise levels of one stage to a pipeline: it searches those whose images are nearest to
 * the images of a long run from the same start. All noise after the start is left out: no churn, no
 * {@code sde_scale}, {@code s_noise} 0.
 *
 * @param pipeline the networks
 * @param request the images to compare, their classes, and the options of the stages
 * @param stage the index of the stage to tune, from 0
 * @param numSteps number of noise levels to place, at least 3
 * @param longSteps number of noise levels of the long run, above {@code numSteps}
 */
public record ScheduleTuning(
    RelayPipeline pipeline, SampleRequest request, int stage, int numSteps, int longSteps) {
  /** Pixel values range from -1 to 1, grey levels from 0 to 255. */
  private static final double GREY_LEVELS = 127.5;

  /**
   * Checks the numbers of levels.
   *
   * @throws OptionException naming the value that is out of range
   */
  public ScheduleTuning {
    Check.atLeast("steps", 3, numSteps);
    Check.atLeast("long", numSteps + 1, longSteps);
    if (longSteps > AlignYourSteps.MOST_LEVELS) {
      throw new OptionException(
          "long must be at most %s, but is %s".formatted(AlignYourSteps.MOST_LEVELS, longSteps));
    }
    if (pipeline.network(stage).isEmpty()) {
      throw new OptionException(
          "the %s stage cannot be tuned: it has no network".formatted(StageNames.of(stage)));
    }
    SolverOptions options = request.stages().get(stage).solver();
    if (Solvers.of(options).isStochastic()) {
      throw new OptionException(
          "solver must be one without noise in its steps to be tuned, but is " + options.solver());
    }
  }

  /**
   * Searches the levels.
   *
   * @param search the limits of the search
   * @param listener receives the distance whenever it has become smaller: the root mean square, in
   *     grey levels
   * @throws org.relaydiffusion.CancelledException if the request is cancelled
   */
  public LevelSearch.Found run(LevelSearch search, LevelSearch.Listener listener) {
    SampleRequest.Builder sampled = deterministic();
    double[] start = startLevels();
    double[] longLevels =
        new LevelSchedule.UniformLambda().steps(start[start.length - 1], start[0], longSteps);
    double[] reference = images(sampled, longLevels);
    return search.search(
        start,
        levels -> {
          double sum = 0;
          double[] images = images(sampled, levels);
          for (int i = 0; i < images.length; i++) {
            double difference = images[i] - reference[i];
            sum += difference * difference;
          }
          return Math.sqrt(sum / images.length) * GREY_LEVELS;
        },
        listener);
  }

  /** Returns the levels that the options of the stage give, of which the relay uses some. */
  private double[] startLevels() {
    SolverOptions options = options();
    Denoiser network = pipeline.network(stage).orElseThrow();
    int count = numSteps;
    // The relay leaves out levels, so that more are asked for until enough are left.
    for (int n = numSteps; n < 100 * numSteps; n++) {
      NoiseLevels levels = Solvers.of(with(options, n)).levels(network);
      if (levels.steps() >= count) {
        double[] kept = levels.toArray();
        return Arrays.copyOfRange(kept, kept.length - 1 - count, kept.length - 1);
      }
    }
    throw new OptionException(
        "the %s stage has fewer than %s noise levels in its range"
            .formatted(StageNames.of(stage), numSteps));
  }

  private SolverOptions options() {
    return withoutNoise(request.stages().get(stage).solver());
  }

  private static SolverOptions withoutNoise(SolverOptions options) {
    return switch (options) {
      case EdmOptions edm -> edm.toBuilder().churn(Churn.OFF).withoutSdeScale().build();
      case RelayOptions relay -> relay.toBuilder().noise(0).withoutChurn().build();
    };
  }

  private static SolverOptions with(SolverOptions options, int numSteps) {
    return switch (options) {
      case EdmOptions edm -> edm.toBuilder().numSteps(numSteps).build();
      case RelayOptions relay -> relay.toBuilder().numSteps(numSteps).build();
    };
  }

  private static SolverOptions with(SolverOptions options, double[] levels) {
    AlignYourSteps schedule = new AlignYourSteps(Arrays.stream(levels).boxed().toList());
    return switch (with(options, levels.length)) {
      case EdmOptions edm -> edm.toBuilder().schedule(schedule).build();
      case RelayOptions relay -> relay.toBuilder().schedule(schedule).build();
    };
  }

  /** Returns a request for the stage alone, whose input is sampled once. */
  private SampleRequest.Builder deterministic() {
    SampleRequest.Builder builder = builder(new StageRange(stage, OptionalInt.of(stage)));
    if (stage > 0) {
      // Of the stages before, as 8-bit images.
      Optional<StartImages> given = request.inputs().filter(_ -> request.range().from() == stage);
      Map<Long, Pixels> small = given.isPresent() ? Map.of() : before();
      builder.inputs(given.orElse(seed -> Objects.requireNonNull(small.get(seed))));
    }
    return builder;
  }

  private Map<Long, Pixels> before() {
    Map<Long, Pixels> pictures = new HashMap<>();
    SampleRequest.Builder builder = builder(new StageRange(0, OptionalInt.of(stage - 1)));
    try (Samples samples = pipeline.sample(builder.build())) {
      samples.forEach(sample -> pictures.put(sample.seed(), sample.pixels()));
    }
    return pictures;
  }

  private SampleRequest.Builder builder(StageRange range) {
    SampleRequest.Builder builder =
        SampleRequest.builder()
            .seeds(request.seeds())
            .batch(request.batch())
            .classes(request.classes())
            .noise(request.noise())
            .latents(request.latents())
            .range(range)
            .cancellation(request.cancellation());
    for (int i = 0; i < request.stages().size(); i++) {
      StageOptions options = request.stages().get(i);
      builder.stage(i, options.with(withoutNoise(options.solver())));
    }
    return builder;
  }

  private double[] images(SampleRequest.Builder sampled, double[] levels) {
    SampleRequest request = sampled.solver(stage, with(options(), levels)).build();
    try (Tensor images = pipeline.images(request, ProgressListener.NONE)) {
      return images.toDoubles();
    }
  }
}
