// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.augment.AugmentOptions;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.diffusion.loss.BlurLoss;
import org.relaydiffusion.diffusion.loss.EdmLoss;
import org.relaydiffusion.diffusion.loss.Loss;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.torch.optim.AdamOptions;
import tools.jackson.databind.JsonNode;

/** A run of the official training loop, as {@code fixtures/training} keeps it. */
record TrainingFixture(Fixture fixture, JsonNode config) {
  static TrainingFixture of(String name) {
    Fixture fixture = Fixture.of("training/" + name);
    return new TrainingFixture(fixture, fixture.json("config.json"));
  }

  /** The run's options, beginning with {@code start}. */
  TrainingOptions options(TrainingOptions.Start start) {
    JsonNode data = config.get("dataset_kwargs");
    JsonNode adam = config.get("optimizer_kwargs");
    TrainingData images =
        TrainingData.of(fixture.file("dataset.zip")).toBuilder()
            .labels(data.get("use_labels").asBoolean())
            .xflip(data.get("xflip").asBoolean())
            .maxSize(data.get("max_size").asInt())
            .cache(data.get("cache").asBoolean())
            .build();
    TrainingOptions.Builder options =
        TrainingOptions.builder(images.path())
            .data(images)
            .network(network())
            .loss(loss())
            .adam(
                new AdamOptions(
                    adam.get("betas").get(0).asDouble(),
                    adam.get("betas").get(1).asDouble(),
                    adam.get("eps").asDouble()))
            .start(start)
            .schedule(
                new TrainingSchedule(
                    config.get("total_kimg").asDouble(),
                    adam.get("lr").asDouble(),
                    config.get("lr_rampup_kimg").asDouble(),
                    config.get("ema_halflife_kimg").asDouble(),
                    config.get("ema_rampup_ratio").isNull()
                        ? OptionalDouble.empty()
                        : OptionalDouble.of(config.get("ema_rampup_ratio").asDouble())))
            .batch(config.get("batch_size").asInt())
            .batchPerRound(config.get("batch_gpu").asInt())
            .scaling(new TrainingOptions.LossScaling.Fixed(config.get("loss_scaling").asDouble()))
            .running(LoadOptions.EXACT)
            .saving(
                TinyRun.NO_FILES.toBuilder()
                    .tickKimg(config.get("kimg_per_tick").asDouble())
                    .stateTicks(config.get("state_dump_ticks").asInt())
                    .build())
            .seed(config.get("seed").asLong());
    augment().ifPresentOrElse(options::augment, options::noAugment);
    return options.build();
  }

  private TrainingNetwork network() {
    Map<String, @Nullable Object> kwargs = new LinkedHashMap<>();
    for (var field : config.get("network_kwargs").properties()) {
      if (!field.getKey().equals("class_name") && !field.getKey().equals("use_fp16")) {
        kwargs.put(field.getKey(), plain(field.getValue()));
      }
    }
    String name = config.get("network_kwargs").get("class_name").asString();
    return new TrainingNetwork.Arguments(name.substring(name.lastIndexOf('.') + 1), kwargs);
  }

  private Loss loss() {
    JsonNode loss = config.get("loss_kwargs");
    return loss.get("class_name").asString().endsWith("EDMLoss")
        ? new EdmLoss()
        : new BlurLoss(
            loss.get("block_scale").asDouble(),
            loss.get("up_scale").asInt(),
            loss.get("prob_length").asDouble(),
            loss.get("blur_sigma_max").asDouble());
  }

  private Optional<AugmentOptions> augment() {
    JsonNode augment = config.get("augment_kwargs");
    if (augment.isNull()) {
      return Optional.empty();
    }
    Map<String, Double> kwargs = new LinkedHashMap<>();
    for (var field : augment.properties()) {
      if (!field.getKey().equals("class_name")) {
        kwargs.put(field.getKey(), field.getValue().asDouble());
      }
    }
    return Optional.of(AugmentOptions.ofKwargs(kwargs));
  }

  private static Object plain(JsonNode node) {
    if (node.isArray()) {
      List<Object> list = new ArrayList<>();
      node.forEach(e -> list.add(plain(e)));
      return list;
    }
    return node.isBoolean()
        ? (Object) node.asBoolean()
        : node.isIntegralNumber()
            ? (Object) node.asLong()
            : node.isNumber() ? (Object) node.asDouble() : node.asString();
  }

  /** A file of the run. */
  Path file(String name) {
    return fixture.file(name);
  }
}
