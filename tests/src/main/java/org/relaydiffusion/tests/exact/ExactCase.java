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
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.SequencedMap;
import org.relaydiffusion.diffusion.augment.AugmentOptions;
import org.relaydiffusion.diffusion.loss.BlurLoss;
import org.relaydiffusion.diffusion.loss.EdmLoss;
import org.relaydiffusion.diffusion.loss.Loss;
import org.relaydiffusion.diffusion.loss.VeLoss;
import org.relaydiffusion.diffusion.loss.VpLoss;
import org.relaydiffusion.diffusion.train.NetworkPreset;
import org.relaydiffusion.diffusion.train.TrainingOptions;
import org.relaydiffusion.diffusion.train.TrainingSchedule;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.torch.optim.AdamOptions;
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
    Path data = folder.resolve(take(given, "data"));
    boolean labels = take(given, "cond", "0").equals("1");
    boolean xflip = take(given, "xflip", "0").equals("1");
    double augment = Double.parseDouble(take(given, "augment", "0.12"));
    String precond = take(given, "precond", "edm");
    String perRound = given.remove("batch-gpu");
    TrainingOptions options =
        new TrainingOptions(
            new TrainingOptions.Data(data, labels, xflip, OptionalInt.empty(), true, 1),
            network(given, precond, json.get("num_blocks").asInt()),
            loss(given, precond),
            augment == 0 ? Optional.empty() : Optional.of(AugmentOptions.training(augment)),
            AdamOptions.DEFAULT,
            new TrainingSchedule(
                steps * batch / 1000.0,
                Double.parseDouble(take(given, "lr")),
                json.get("lr_rampup_kimg").asDouble(),
                json.get("ema_halflife_kimg").asDouble(),
                OptionalDouble.of(TrainingSchedule.DEFAULT_EMA_RAMPUP_RATIO)),
            new TrainingOptions.Batching(
                batch,
                perRound == null
                    ? OptionalInt.empty()
                    : OptionalInt.of(Integer.parseInt(perRound))),
            new TrainingOptions.LossScaling.Fixed(Double.parseDouble(take(given, "ls", "1"))),
            LoadOptions.EXACT,
            // One tick per step, for its loss; the state of the last one.
            new TrainingOptions.Saving(
                batch / 1000.0,
                OptionalInt.empty(),
                TrainingOptions.SnapshotFormat.SAFETENSORS,
                OptionalInt.of(2 * steps),
                Optional.empty(),
                OptionalInt.empty(),
                OptionalInt.empty()),
            TrainingOptions.NonFiniteLoss.REPORT,
            new TrainingOptions.Start.Fresh(),
            json.get("seed").asLong());
    if (!given.isEmpty()) {
      throw new IllegalArgumentException("options that are not known: " + given.keySet());
    }
    return options;
  }

  private static TrainingOptions.Network network(
      Map<String, String> given, String precond, int blocks) {
    NetworkPreset preset =
        NetworkPreset.valueOf(take(given, "arch", "adm").toUpperCase(Locale.ROOT));
    NetworkPreset.Changes changes =
        new NetworkPreset.Changes(
            OptionalInt.of(Integer.parseInt(take(given, "cbase"))),
            Arrays.stream(take(given, "cres").split(",", -1)).map(Integer::valueOf).toList(),
            OptionalInt.of(blocks),
            Double.parseDouble(take(given, "dropout", "0.13")),
            0,
            false);
    String className =
        switch (precond) {
          case "vp" -> "VPPrecond";
          case "ve" -> "VEPrecond";
          default -> "EDMPrecond";
        };
    // Below 256 pixels, the presets differ in nothing else.
    return new TrainingOptions.Network(className, preset.kwargs(16, changes));
  }

  private static Loss loss(Map<String, String> given, String precond) {
    return switch (precond) {
      case "edm" -> new EdmLoss();
      case "vp" -> new VpLoss();
      case "ve" -> new VeLoss();
      case "blur" ->
          new BlurLoss(
              Double.parseDouble(take(given, "block-scale", "0.15")),
              Integer.parseInt(take(given, "up-scale", "4")),
              Double.parseDouble(take(given, "prob-length", "0.93")),
              Double.parseDouble(take(given, "blur-sigma-max", "3")));
      default -> throw new IllegalArgumentException("--precond=" + precond);
    };
  }

  private static String take(Map<String, String> given, String name) {
    return Objects.requireNonNull(given.remove(name), name);
  }

  private static String take(Map<String, String> given, String name, String otherwise) {
    String value = given.remove(name);
    return value == null ? otherwise : value;
  }
}
