// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.guidance.GuidanceOptions;
import org.relaydiffusion.diffusion.image.Enhancement;
import org.relaydiffusion.diffusion.random.Seeds;

/**
 * A request to sample images. {@link #builder()} starts from the defaults of a {@link Preset}.
 *
 * @param seeds one per image, of the whole run, of which this process samples its share
 * @param batch the maximum batch size, at least 1
 * @param classes the classes that are assigned to the images in turn
 * @param range the stages to run
 * @param stages the options of every stage that a pipeline can have, in order
 * @param noise where the random numbers come from
 * @param latents what the first stage starts from
 * @param enhancement the post-processing of the images
 * @param inputs the images that the run starts from if it leaves out the first stage; otherwise not
 *     used
 * @param rank this process, 0 to {@code worldSize - 1}
 * @param worldSize number of processes that share the run
 * @param cancellation ends the run early
 */
public record SampleRequest(
    Seeds seeds,
    int batch,
    ClassList classes,
    StageRange range,
    List<StageOptions> stages,
    Noise noise,
    Latents latents,
    Enhancement enhancement,
    Optional<StartImages> inputs,
    int rank,
    int worldSize,
    Cancellation cancellation) {
  /**
   * Checks the request as far as possible without the networks.
   *
   * @throws OptionException naming the value that is invalid
   */
  public SampleRequest {
    Check.atLeast("batch", 1, batch);
    if (rank < 0 || rank >= worldSize) {
      throw new OptionException("rank %s is not one of %s processes".formatted(rank, worldSize));
    }
    stages = List.copyOf(stages);
    for (int i = 0; i < stages.size(); i++) {
      if (stages.get(i).solver().startsFromNoise() != (i == 0)) {
        throw new OptionException(
            "the %s stage starts from %s, but its options are for a solver that starts from %s"
                .formatted(
                    StageNames.of(i), i == 0 ? "noise" : "images", i == 0 ? "images" : "noise"));
      }
    }
    if (range.startsFromImages() && inputs.isEmpty()) {
      throw new OptionException(
          "sampler_stages = %s requires the images of the %s stage"
              .formatted(range, StageNames.of(range.from() - 1)));
    }
  }

  /** Returns a builder with the defaults of {@link Preset#GENERATE}. */
  public static Builder builder() {
    return new Builder(Preset.GENERATE);
  }

  /** Returns a builder with the defaults of a preset. */
  public static Builder builder(Preset preset) {
    return new Builder(preset);
  }

  /** Builds a request. */
  public static final class Builder {
    private Seeds seeds;
    private int batch = Preset.DEFAULT_BATCH;
    private ClassList classes = ClassList.ALL;
    private StageRange range = StageRange.ALL;
    private final List<StageOptions> stages;
    private Noise noise = Noise.AUTO;
    private Latents latents = Latents.DRAWN;
    private Enhancement enhancement;
    private @Nullable StartImages inputs;
    private int rank;
    private int worldSize = 1;
    private Cancellation cancellation = new Cancellation();

    private Builder(Preset preset) {
      seeds = Seeds.parse(preset.seeds());
      stages = new ArrayList<>(preset.stages());
      enhancement = preset.enhancement();
    }

    /** Sets the seeds, one per image. */
    public Builder seeds(Seeds value) {
      seeds = value;
      return this;
    }

    /** Sets the seeds, one per image; at least one. */
    public Builder seeds(long... values) {
      return seeds(Arrays.stream(values).mapToObj(Long::toString).collect(Collectors.joining(",")));
    }

    /** Sets the seeds as text, such as {@code 0-63,100}. */
    public Builder seeds(String text) {
      return seeds(Seeds.parse(text));
    }

    /** Sets the maximum batch size. */
    public Builder batch(int value) {
      batch = value;
      return this;
    }

    /** Sets the class of all images. */
    public Builder classLabel(int value) {
      return classes(ClassList.of(value));
    }

    /**
     * Sets the classes that are assigned to the images in turn: the image of a seed has class
     * number seed mod size of the list.
     */
    public Builder classes(ClassList value) {
      classes = value;
      return this;
    }

    /** Sets the stages to run; all stages of the pipeline by default. */
    public Builder range(StageRange value) {
      range = value;
      return this;
    }

    /**
     * Sets the options of a stage.
     *
     * @param index from 0
     */
    public Builder stage(int index, StageOptions value) {
      stages.set(index, value);
      return this;
    }

    /**
     * Sets the options of a stage's solver, and leaves its guidance as it is.
     *
     * @param index from 0
     */
    public Builder solver(int index, SolverOptions value) {
      return stage(index, stages.get(index).with(value));
    }

    /**
     * Sets the guidance of a stage, and leaves its solver as it is.
     *
     * @param index from 0
     */
    public Builder guidance(int index, GuidanceOptions value) {
      return stage(index, stages.get(index).with(value));
    }

    /** Sets where the random numbers come from; {@link Noise#AUTO} by default. */
    public Builder noise(Noise value) {
      noise = value;
      return this;
    }

    /** Sets what the first stage starts from; the latents drawn from the seeds by default. */
    public Builder latents(Latents value) {
      latents = value;
      return this;
    }

    /** Sets the post-processing of the images. */
    public Builder enhancement(Enhancement value) {
      enhancement = value;
      return this;
    }

    /** Sets the images that a run starts from which leaves out the first stage. */
    public Builder inputs(StartImages value) {
      inputs = value;
      return this;
    }

    /** Sets the rank of this process among those that share the run. */
    public Builder rank(int value, int ofWorldSize) {
      rank = value;
      worldSize = ofWorldSize;
      return this;
    }

    /** Sets the object that cancels the run. */
    public Builder cancellation(Cancellation value) {
      cancellation = value;
      return this;
    }

    /**
     * Builds the request.
     *
     * @throws OptionException naming the value that is invalid
     */
    public SampleRequest build() {
      return new SampleRequest(
          seeds,
          batch,
          classes,
          range,
          stages,
          noise,
          latents,
          enhancement,
          Optional.ofNullable(inputs),
          rank,
          worldSize,
          cancellation);
    }
  }
}
