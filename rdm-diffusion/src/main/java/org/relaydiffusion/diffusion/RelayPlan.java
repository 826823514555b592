package org.relaydiffusion.diffusion;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.model.Denoiser;

/**
 * A request beside the networks that are to answer it, checked: the networks fit one another, and
 * what is asked for is what they can do.
 *
 * @param request what was asked for
 * @param first the first stage's network; null where that stage does not run
 * @param second the second stage's network; null where that stage does not run
 * @param labels the images' classes
 */
record RelayPlan(
    SampleRequest request, @Nullable Denoiser first, @Nullable Denoiser second, Labels labels) {
  /**
   * Plans a request.
   *
   * @throws OptionException naming what does not fit
   */
  static RelayPlan of(
      SampleRequest request, @Nullable Denoiser loadedFirst, @Nullable Denoiser loadedSecond) {
    Denoiser first = needed(Stage.FIRST, request.stages(), loadedFirst);
    Denoiser second = needed(Stage.SECOND, request.stages(), loadedSecond);
    if (first != null) {
      checkChannels("first", first);
    }
    if (second != null) {
      checkChannels("second", second);
      checkPatches(second, request.second().upScale());
    }
    if (first != null && second != null) {
      checkAgreement(first, second);
    }
    int classes =
        Math.max(first == null ? 0 : first.labelDim(), second == null ? 0 : second.labelDim());
    checkClasses(request.classes(), classes);
    return new RelayPlan(request, first, second, new Labels(classes, request.classes()));
  }

  private static @Nullable Denoiser needed(Stage stage, Stages stages, @Nullable Denoiser network) {
    if (!stages.include(stage)) {
      return null;
    }
    if (network == null) {
      throw new OptionException(
          "sampler_stages = %s needs the %s stage's checkpoint"
              .formatted(lower(stages), lower(stage)));
    }
    return network;
  }

  private static String lower(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT);
  }

  private static void checkChannels(String stage, Denoiser net) {
    if (net.channels() != 1 && net.channels() != 3) {
      throw new OptionException(
          "the %s network makes images of %s channels; pictures have 1 or 3"
              .formatted(stage, net.channels()));
    }
  }

  private static void checkPatches(Denoiser second, int upScale) {
    if (second.resolution() % upScale != 0) {
      throw new OptionException(
          "up_scale = %s does not divide the second network's resolution of %s"
              .formatted(upScale, second.resolution()));
    }
  }

  private static void checkAgreement(Denoiser first, Denoiser second) {
    if (first.channels() != second.channels()) {
      throw new OptionException(
          "the first network makes images of %s channels, the second of %s: they are no pair"
              .formatted(first.channels(), second.channels()));
    }
    if (second.resolution() % first.resolution() != 0) {
      throw new OptionException(
          "the second network's resolution of %s is no multiple of the first's %s"
              .formatted(second.resolution(), first.resolution()));
    }
    if (first.labelDim() != second.labelDim() && first.labelDim() > 0 && second.labelDim() > 0) {
      throw new OptionException(
          "the first network knows %s classes, the second %s: they are no pair"
              .formatted(first.labelDim(), second.labelDim()));
    }
  }

  private static void checkClasses(ClassList chosen, int classes) {
    if (classes == 0 && !chosen.isAll()) {
      throw new OptionException(
          "class = %s was asked for, but the networks are unconditional".formatted(chosen));
    }
    List<Integer> unknown = chosen.labels().stream().filter(c -> c >= classes).distinct().toList();
    if (!unknown.isEmpty()) {
      throw new OptionException(
          "class must be 0 to %s, but is %s".formatted(classes - 1, new ClassList(unknown)));
    }
  }
}
