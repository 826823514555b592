package org.relaydiffusion.diffusion;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.image.Enhancement;
import org.relaydiffusion.diffusion.random.Seeds;

/**
 * What to sample. {@link #builder()} starts from a {@link Preset}'s defaults.
 *
 * @param seeds one an image; the whole run's, of which this process makes its share
 * @param batch the most images at once, at least 1
 * @param classes the classes that the images take in turn
 * @param stages which stages run
 * @param first the first stage's options
 * @param second the second stage's options
 * @param enhancement what is done to the finished pictures
 * @param inputs the first stage's pictures, for {@link Stages#SECOND}; not used otherwise
 * @param rank this process, 0 to {@code worldSize - 1}
 * @param worldSize how many processes share the run
 * @param cancellation ends the run early
 */
public record SampleRequest(
    Seeds seeds,
    int batch,
    ClassList classes,
    Stages stages,
    EdmOptions first,
    RelayOptions second,
    Enhancement enhancement,
    Optional<FirstStageImages> inputs,
    int rank,
    int worldSize,
    Cancellation cancellation) {
  /**
   * Checks the request as far as that goes without networks.
   *
   * @throws OptionException naming what makes no sense
   */
  public SampleRequest {
    Check.atLeast("batch", 1, batch);
    if (rank < 0 || rank >= worldSize) {
      throw new OptionException("rank %s is not one of %s processes".formatted(rank, worldSize));
    }
    if (stages == Stages.SECOND && inputs.isEmpty()) {
      throw new OptionException(
          "sampler_stages = second needs the first stage's pictures to start from");
    }
  }

  /** A request with the defaults of {@link Preset#GENERATE}. */
  public static Builder builder() {
    return new Builder(Preset.GENERATE);
  }

  /** A request with a preset's defaults. */
  public static Builder builder(Preset preset) {
    return new Builder(preset);
  }

  /** Puts a request together. */
  public static final class Builder {
    private Seeds seeds;
    private int batch = Preset.DEFAULT_BATCH;
    private ClassList classes = ClassList.ALL;
    private Stages stages = Stages.BOTH;
    private EdmOptions first;
    private RelayOptions second;
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

    /** The seeds, one an image. */
    public Builder seeds(Seeds value) {
      seeds = value;
      return this;
    }

    /** The seeds, one an image; at least one. */
    public Builder seeds(long... values) {
      return seeds(Arrays.stream(values).mapToObj(Long::toString).collect(Collectors.joining(",")));
    }

    /** The seeds as text, e.g. {@code 0-63,100}. */
    public Builder seeds(String text) {
      return seeds(Seeds.parse(text));
    }

    /** The most images at once. */
    public Builder batch(int value) {
      batch = value;
      return this;
    }

    /** The class of every image. */
    public Builder classLabel(int value) {
      return classes(ClassList.of(value));
    }

    /**
     * The classes that the images take in turn: that of a seed is number seed mod size of the list.
     */
    public Builder classes(ClassList value) {
      classes = value;
      return this;
    }

    /** Which stages run. */
    public Builder stages(Stages value) {
      stages = value;
      return this;
    }

    /** The first stage's options. */
    public Builder first(EdmOptions value) {
      first = value;
      return this;
    }

    /** The second stage's options. */
    public Builder second(RelayOptions value) {
      second = value;
      return this;
    }

    /** What is done to the finished pictures. */
    public Builder enhancement(Enhancement value) {
      enhancement = value;
      return this;
    }

    /** The pictures that {@link Stages#SECOND} starts from. */
    public Builder inputs(FirstStageImages value) {
      inputs = value;
      return this;
    }

    /** This process's place among those that share the run. */
    public Builder rank(int value, int ofWorldSize) {
      rank = value;
      worldSize = ofWorldSize;
      return this;
    }

    /** Ends the run early. */
    public Builder cancellation(Cancellation value) {
      cancellation = value;
      return this;
    }

    /** The request, checked. */
    public SampleRequest build() {
      return new SampleRequest(
          seeds,
          batch,
          classes,
          stages,
          first,
          second,
          enhancement,
          Optional.ofNullable(inputs),
          rank,
          worldSize,
          cancellation);
    }
  }
}
