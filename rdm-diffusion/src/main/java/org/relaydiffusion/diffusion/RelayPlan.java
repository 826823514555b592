// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.model.Denoiser;

/**
 * A request together with its networks, after checking that the networks match each other and the
 * request.
 *
 * @param request the request
 * @param first the network of the first stage; null if that stage does not run
 * @param second the network of the second stage; null if that stage does not run
 * @param labels the classes of the images
 */
record RelayPlan(
    SampleRequest request, @Nullable Denoiser first, @Nullable Denoiser second, Labels labels) {
  /**
   * Creates the plan of a request.
   *
   * @throws OptionException naming the option that does not match
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
          "sampler_stages = %s requires the checkpoint of the %s stage"
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
          "the %s network has %s channels, but images have 1 or 3"
              .formatted(stage, net.channels()));
    }
  }

  private static void checkPatches(Denoiser second, int upScale) {
    if (second.resolution() % upScale != 0) {
      throw new OptionException(
          "up_scale = %s does not divide the resolution of the second network, %s"
              .formatted(upScale, second.resolution()));
    }
  }

  private static void checkAgreement(Denoiser first, Denoiser second) {
    if (first.channels() != second.channels()) {
      throw new OptionException(
          "the networks do not match: %s and %s channels"
              .formatted(first.channels(), second.channels()));
    }
    if (second.resolution() % first.resolution() != 0) {
      throw new OptionException(
          ("the networks do not match: the second's resolution of %s is not a multiple of the"
                  + " first's %s")
              .formatted(second.resolution(), first.resolution()));
    }
    if (first.labelDim() != second.labelDim() && first.labelDim() > 0 && second.labelDim() > 0) {
      throw new OptionException(
          "the networks do not match: %s and %s classes"
              .formatted(first.labelDim(), second.labelDim()));
    }
  }

  private static void checkClasses(ClassList chosen, int classes) {
    if (classes == 0 && !chosen.isAll()) {
      throw new OptionException(
          "class = %s was requested, but the networks are unconditional".formatted(chosen));
    }
    List<Integer> unknown = chosen.labels().stream().filter(c -> c >= classes).distinct().toList();
    if (!unknown.isEmpty()) {
      throw new OptionException(
          "class must be 0 to %s, but is %s".formatted(classes - 1, new ClassList(unknown)));
    }
  }
}
