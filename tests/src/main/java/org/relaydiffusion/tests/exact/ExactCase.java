// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.exact;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SequencedMap;
import org.relaydiffusion.diffusion.augment.AugmentOptions;
import org.relaydiffusion.diffusion.loss.BlurLoss;
import org.relaydiffusion.diffusion.loss.EdmLoss;
import org.relaydiffusion.diffusion.loss.Loss;
import org.relaydiffusion.diffusion.loss.VeLoss;
import org.relaydiffusion.diffusion.loss.VpLoss;
import org.relaydiffusion.diffusion.train.NetworkPreset;
import org.relaydiffusion.diffusion.train.Saving;
import org.relaydiffusion.diffusion.train.TrainingData;
import org.relaydiffusion.diffusion.train.TrainingNetwork;
import org.relaydiffusion.diffusion.train.TrainingOptions;
import org.relaydiffusion.diffusion.train.TrainingSchedule;
import org.relaydiffusion.model.LoadOptions;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A run of the official training script, and its results.
 *
 * @param name of the case
 * @param options for our run
 * @param losses the mean of each step's losses, over its rounds
 * @param hashes the SHA-256 of each tensor of its last state: {@code ema.}, {@code net.}, {@code
 *     exp_avg.} and {@code exp_avg_sq.}, followed by the name of the tensor
 */
public record ExactCase(
    String name,
    TrainingOptions options,
    List<Double> losses,
    SequencedMap<String, String> hashes) {
  /** Its name. */
  @Override
  public String toString() {
    return name;
  }

  /**
   * Returns all cases.
   *
   * @param folder with {@code expected.json} and the data sets
   */
  public static List<ExactCase> all(Path folder) {
    List<ExactCase> cases = new ArrayList<>();
    JsonNode root = new JsonMapper().readTree(folder.resolve("expected.json"));
    root.properties().forEach(e -> cases.add(of(folder, e.getKey(), e.getValue())));
    return cases;
  }

  private static ExactCase of(Path folder, String name, JsonNode json) {
    SequencedMap<String, String> hashes = new LinkedHashMap<>();
    json.get("tensors").properties().forEach(e -> hashes.put(e.getKey(), e.getValue().asString()));
    int steps = json.get("iterations").asInt();
    int rounds = json.get("losses").size() / steps;
    List<Double> losses = new ArrayList<>();
    for (int step = 0; step < steps; step++) {
      double sum = 0;
      for (int round = 0; round < rounds; round++) {
        sum += json.get("losses").get(step * rounds + round).get("mean").asDouble();
      }
      losses.add(sum / rounds);
    }
    return new ExactCase(name, options(folder, json), losses, hashes);
  }

  private static TrainingOptions options(Path folder, JsonNode json) {
    // Those of the official script, with its defaults for what is not given.
    Map<String, String> given = new LinkedHashMap<>();
    json.get("options")
        .forEach(option -> {
          String[] parts = option.asString().substring(2).split("=", 2);
          given.put(parts[0], parts[1]);
        });
    int steps = json.get("iterations").asInt();
    int batch = json.get("batch").asInt();
    String precond = take(given, "precond", "edm");
    Path data = folder.resolve(take(given, "data"));
    TrainingOptions.Builder options =
        TrainingOptions.builder(data)
            .data(
                TrainingData.of(data).toBuilder()
                    .labels(take(given, "cond", "0").equals("1"))
                    .xflip(take(given, "xflip", "0").equals("1"))
                    .build())
            .network(network(given, precond, json.get("num_blocks").asInt()))
            .loss(loss(given, precond))
            .schedule(
                TrainingSchedule.DEFAULT.toBuilder()
                    .totalKimg(steps * batch / 1000.0)
                    .learningRate(Double.parseDouble(take(given, "lr")))
                    .rampupKimg(json.get("lr_rampup_kimg").asDouble())
                    .emaHalflifeKimg(json.get("ema_halflife_kimg").asDouble())
                    .build())
            .batch(batch)
            .running(LoadOptions.EXACT)
            // One tick per step, for its loss; the state of the last one.
            .saving(
                Saving.DEFAULT.toBuilder()
                    .tickKimg(batch / 1000.0)
                    .noSnapshots()
                    .stateTicks(2 * steps)
                    .noStateTime()
                    .noSamples()
                    .build())
            .seed(json.get("seed").asLong());
    Optional.ofNullable(given.remove("batch-gpu"))
        .ifPresent(n -> options.batchPerRound(Integer.parseInt(n)));
    Optional.ofNullable(given.remove("ls"))
        .ifPresent(
            x -> options.scaling(new TrainingOptions.LossScaling.Fixed(Double.parseDouble(x))));
    Optional.ofNullable(given.remove("augment"))
        .map(Double::parseDouble)
        .ifPresent(p -> {
          if (p == 0) {
            options.noAugment();
          } else {
            options.augment(AugmentOptions.training(p));
          }
        });
    if (!given.isEmpty()) {
      throw new IllegalArgumentException("options that are not known: " + given.keySet());
    }
    return options.build();
  }

  private static TrainingNetwork network(Map<String, String> given, String precond, int blocks) {
    NetworkPreset preset =
        NetworkPreset.valueOf(take(given, "arch", "adm").toUpperCase(Locale.ROOT));
    NetworkPreset.Changes.Builder changes =
        NetworkPreset.Changes.NONE.toBuilder()
            .channelBase(Integer.parseInt(take(given, "cbase")))
            .channelMultipliers(
                Arrays.stream(take(given, "cres").split(",", -1)).map(Integer::valueOf).toList())
            .blocks(blocks);
    Optional.ofNullable(given.remove("dropout"))
        .ifPresent(p -> changes.dropout(Double.parseDouble(p)));
    String className =
        switch (precond) {
          case "vp" -> "VPPrecond";
          case "ve" -> "VEPrecond";
          default -> "EDMPrecond";
        };
    return new TrainingNetwork.Preset(className, preset, changes.build(), Map.of());
  }

  private static Loss loss(Map<String, String> given, String precond) {
    return switch (precond) {
      case "edm" -> new EdmLoss();
      case "vp" -> new VpLoss();
      case "ve" -> new VeLoss();
      case "blur" ->
          new BlurLoss(
              number(given, "block-scale", BlurLoss.DEFAULT.blockScale()),
              (int) number(given, "up-scale", BlurLoss.DEFAULT.upScale()),
              number(given, "prob-length", BlurLoss.DEFAULT.probLength()),
              number(given, "blur-sigma-max", BlurLoss.DEFAULT.blurSigmaMax()));
      default -> throw new IllegalArgumentException("--precond=" + precond);
    };
  }

  private static String take(Map<String, String> given, String name) {
    return Objects.requireNonNull(given.remove(name), name);
  }

  private static double number(Map<String, String> given, String name, double otherwise) {
    String value = given.remove(name);
    return value == null ? otherwise : Double.parseDouble(value);
  }

  private static String take(Map<String, String> given, String name, String otherwise) {
    String value = given.remove(name);
    return value == null ? otherwise : value;
  }
}
