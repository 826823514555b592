// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.image.Enhancement;
import org.relaydiffusion.diffusion.random.Seeds;

/**
 * A request to sample images. {@link #builder()} starts from the defaults of a {@link Preset}.
 *
 * @param seeds one per image, of the whole run, of which this process samples its share
 * @param batch the maximum batch size, at least 1
 * @param classes the classes that are assigned to the images in turn
 * @param stages the stages to run
 * @param first options of the first stage
 * @param second options of the second stage
 * @param noise where the random numbers come from
 * @param enhancement the post-processing of the images
 * @param inputs the images of the first stage, for {@link Stages#SECOND}; otherwise not used
 * @param rank this process, 0 to {@code worldSize - 1}
 * @param worldSize number of processes that share the run
 * @param cancellation ends the run early
 */
public record SampleRequest(
    Seeds seeds,
    int batch,
    ClassList classes,
    Stages stages,
    EdmOptions first,
    RelayOptions second,
    Noise noise,
    Enhancement enhancement,
    Optional<FirstStageImages> inputs,
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
    if (stages == Stages.SECOND && inputs.isEmpty()) {
      throw new OptionException("sampler_stages = second requires the images of the first stage");
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
    private Stages stages = Stages.BOTH;
    private EdmOptions first;
    private RelayOptions second;
    private Noise noise = Noise.AUTO;
    private Enhancement enhancement;
    private @Nullable FirstStageImages inputs;
    private int rank;
    private int worldSize = 1;
    private Cancellation cancellation = new Cancellation();

    private Builder(Preset preset) {
      seeds = Seeds.parse(preset.seeds());
      first = preset.first();
      second = preset.second();
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

    /** Sets the stages to run. */
    public Builder stages(Stages value) {
      stages = value;
      return this;
    }

    /** Sets the options of the first stage. */
    public Builder first(EdmOptions value) {
      first = value;
      return this;
    }

    /** Sets the options of the second stage. */
    public Builder second(RelayOptions value) {
      second = value;
      return this;
    }

    /** Sets where the random numbers come from; {@link Noise#AUTO} by default. */
    public Builder noise(Noise value) {
      noise = value;
      return this;
    }

    /** Sets the post-processing of the images. */
    public Builder enhancement(Enhancement value) {
      enhancement = value;
      return this;
    }

    /** Sets the input images of {@link Stages#SECOND}. */
    public Builder inputs(FirstStageImages value) {
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
          stages,
          first,
          second,
          noise,
          enhancement,
          Optional.ofNullable(inputs),
          rank,
          worldSize,
          cancellation);
    }
  }
}
