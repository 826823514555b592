// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.sampler.NoiseLevels;
import org.relaydiffusion.diffusion.sampler.Solver;
import org.relaydiffusion.diffusion.sampler.Solvers;
import org.relaydiffusion.model.Denoiser;

/**
 * A request together with the stages that it runs, after checking that they match each other and
 * the request.
 *
 * @param request the request
 * @param stages the stages to run, in order; at least one
 * @param solvers the solver of each
 * @param labels the classes of the images
 */
record PipelinePlan(
    SampleRequest request, List<Stage> stages, List<Solver> solvers, Labels labels) {
  /**
   * Creates the plan of a request.
   *
   * @param loaded the stages of the pipeline, in order
   * @throws OptionException naming the option that does not match
   */
  static PipelinePlan of(SampleRequest request, List<Stage> loaded) {
    List<Stage> stages = needed(request.range(), loaded);
    for (Stage stage : stages) {
      checkChannels(stage);
      checkGuide(stage, request.stages().get(stage.index()));
      if (options(request, stage) instanceof RelayOptions relay) {
        checkPatches(stage, relay.upScale());
      }
    }
    for (int i = 1; i < stages.size(); i++) {
      checkAgreement(stages.get(i - 1), stages.get(i));
    }
    int classes = stages.stream().mapToInt(s -> s.network().labelDim()).max().orElse(0);
    checkClasses(stages);
    checkClasses(request.classes(), classes);
    List<Solver> solvers = new ArrayList<>();
    for (Stage stage : stages) {
      Solver solver = Solvers.of(options(request, stage));
      if (stage.guide().isPresent() && !solver.isGuided()) {
        throw new OptionException(
            "the guide network of the %s stage has no effect with sde_scale"
                .formatted(stage.name()));
      }
      // A range without levels is found before anything is written.
      NoiseLevels _ = solver.levels(stage.network());
      solvers.add(solver);
    }
    return new PipelinePlan(
        request, stages, List.copyOf(solvers), new Labels(classes, request.classes()));
  }

  private static SolverOptions options(SampleRequest request, Stage stage) {
    return request.stages().get(stage.index()).solver();
  }

  private static List<Stage> needed(StageRange range, List<Stage> loaded) {
    int last = loaded.isEmpty() ? 0 : loaded.getLast().index();
    List<Stage> needed = new ArrayList<>();
    for (int i = range.from(); i <= range.to().orElse(Math.max(last, range.from())); i++) {
      int index = i;
      needed.add(
          loaded.stream()
              .filter(s -> s.index() == index)
              .findFirst()
              .orElseThrow(() ->
                  new OptionException(
                      "sampler_stages = %s requires the checkpoint of the %s stage"
                          .formatted(range, StageNames.of(index)))));
    }
    return needed;
  }

  private static void checkChannels(Stage stage) {
    int channels = stage.network().channels();
    if (channels != 1 && channels != 3) {
      throw new OptionException(
          "the %s network has %s channels, but images have 1 or 3"
              .formatted(stage.name(), channels));
    }
  }

  private static void checkPatches(Stage stage, int upScale) {
    if (stage.network().resolution() % upScale != 0) {
      throw new OptionException(
          "up_scale = %s does not divide the resolution of the %s network, %s"
              .formatted(upScale, stage.name(), stage.network().resolution()));
    }
  }

  private static void checkGuide(Stage stage, StageOptions options) {
    if (stage.guide().isEmpty()) {
      return;
    }
    Denoiser network = stage.network();
    Denoiser guide = stage.guide().get();
    if (guide.resolution() != network.resolution()
        || guide.channels() != network.channels()
        || (guide.labelDim() != network.labelDim() && guide.labelDim() > 0)) {
      throw new OptionException(
          "the guide network of the %s stage has %s, but its network has %s"
              .formatted(stage.name(), shape(guide), shape(network)));
    }
    if (!options.guidance().isActive()) {
      throw new OptionException(
          "the guide network of the %s stage requires cfg_scale above 1, but it is %s"
              .formatted(stage.name(), options.guidance().scale()));
    }
  }

  private static String shape(Denoiser net) {
    return "%s channels, %s pixels, %s classes"
        .formatted(net.channels(), net.resolution(), net.labelDim());
  }

  private static void checkAgreement(Stage before, Stage after) {
    Denoiser small = before.network();
    Denoiser large = after.network();
    if (small.channels() != large.channels()) {
      throw new OptionException(
          "the networks do not match: %s and %s channels"
              .formatted(small.channels(), large.channels()));
    }
    if (large.resolution() % small.resolution() != 0) {
      throw new OptionException(
          ("the networks do not match: the %s's resolution of %s is not a multiple of the %s's"
                  + " %s")
              .formatted(after.name(), large.resolution(), before.name(), small.resolution()));
    }
  }

  /** Unconditional stages may be mixed with conditional ones, which must agree. */
  private static void checkClasses(List<Stage> stages) {
    List<Integer> counts =
        stages.stream().map(s -> s.network().labelDim()).filter(n -> n > 0).distinct().toList();
    if (counts.size() > 1) {
      throw new OptionException(
          "the networks do not match: %s and %s classes".formatted(counts.get(0), counts.get(1)));
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
