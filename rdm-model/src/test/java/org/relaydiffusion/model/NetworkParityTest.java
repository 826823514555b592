// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.model.safetensors.SafetensorsFile;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.nn.Parameter;
import tools.jackson.databind.JsonNode;

/**
 * Whole networks against the reference's outputs: fixtures networks/*.
 *
 * <p>Tolerance: 2e-5 of the output's largest value. The same code under two releases of torch
 * differs by up to 2e-6; ten times that.
 */
class NetworkParityTest {
  private static final double TOLERANCE = 2e-5;

  @TestFactory
  Stream<DynamicTest> everyCallOfEveryNetworkGivesTheReferencesOutput() {
    return Stream.of(
            "adm_cond_aug_attn",
            "adm_grey_cond",
            "adm_uncond_noattn",
            "edm_ddpmpp_cond_aug",
            "edm_song_skip",
            "iddpm_adm",
            "ve_ncsnpp",
            "vp_ddpmpp")
        .flatMap(name -> {
          JsonNode config = Fixtures.json("networks/" + name + "/config.json");
          return config
              .get("calls")
              .valueStream()
              .flatMap(call ->
                  Stream.of(Numerics.values())
                      .filter(n -> n == Numerics.EXACT || !call.get("train").asBoolean())
                      .map(numerics ->
                          DynamicTest.dynamicTest(
                              "%s call %s %s %s"
                                  .formatted(
                                      name,
                                      call.get("index").asInt(),
                                      call.get("net").asString(),
                                      numerics),
                              () -> check(name, config, call, numerics))));
        });
  }

  private static void check(String name, JsonNode config, JsonNode call, Numerics numerics) {
    Map<String, Object> kwargs = new HashMap<>(Fixtures.kwargs(config.get("init_kwargs")));
    switch (call.get("net").asString()) {
      case "eff_attn" -> kwargs.put("eff_attn", true);
      case "label_dropout" -> kwargs.putAll(Map.of("label_dropout", 0.5, "dropout", 0.0));
      default -> {}
    }
    LoadOptions options = new LoadOptions(numerics, DType.FLOAT32, Device.CPU);
    String prefix = "call" + call.get("index").asInt() + ".";
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        SafetensorsFile weights =
            SafetensorsFile.open(Fixtures.path("networks/" + name + "/weights.safetensors"));
        Preconditioner network =
            Preconditioner.load(
                ModelConfig.of(config.get("class_name").asString(), kwargs),
                weights.tensors(),
                options)) {
      Map<String, Tensor> io = Fixtures.tensors("networks/" + name + "/io.safetensors");
      if (call.get("train").asBoolean()) {
        network.train();
      } else {
        network.eval();
      }
      if (!call.get("manual_seed").isNull()) {
        Generator.global().seed(call.get("manual_seed").asLong());
      }
      Tensor output =
          network.denoise(
              required(io.get(prefix + "x")),
              required(io.get(prefix + "sigma")),
              io.get(prefix + "class_labels"),
              io.get(prefix + "augment_labels"));
      assertThat(output.dtype()).isEqualTo(DType.FLOAT32);
      assertThat(Fixtures.distance(output, required(io.get(prefix + "output"))))
          .isLessThan(TOLERANCE);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"EXACT", "FAST"})
  void severalHeadsOverSeededWeightsGiveTheReferencesOutput(Numerics numerics) {
    JsonNode config = Fixtures.json("networks/adm_multihead_seeded/config.json");
    ModelConfig model =
        ModelConfig.of(
            config.get("class_name").asString(), Fixtures.kwargs(config.get("init_kwargs")));
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(config.get("seed").asLong());
        Preconditioner exact = Preconditioner.of(model)) {
      for (Map.Entry<String, Parameter> e : exact.state().entrySet()) {
        Parameter p = e.getValue();
        if (p.kind() == Parameter.Kind.BUFFER) {
          p.set(p.initializer().make(generator, p.shape()));
          continue;
        }
        Tensor r = generator.randn(DType.FLOAT32, p.shape());
        boolean vector = p.shape().length == 1;
        p.set(
            vector && e.getKey().endsWith(".weight")
                ? r.mul(0.1).add(1)
                : vector ? r.mul(0.1) : r.div(Math.sqrt((double) p.numel() / p.shape()[0])));
      }
      LoadOptions options = new LoadOptions(numerics, DType.FLOAT32, Device.CPU);
      NetworkMaker.prepare(exact, options, Purpose.EVALUATION);
      Map<String, Tensor> io = Fixtures.tensors("networks/adm_multihead_seeded/io.safetensors");
      Tensor output =
          exact.denoise(
              required(io.get("x")),
              required(io.get("sigma")),
              io.get("class_labels"),
              io.get("augment_labels"));
      assertThat(Fixtures.distance(output, required(io.get("output")))).isLessThan(TOLERANCE);
    }
  }

  @Test
  void aSeedGivesTheReferencesFirstWeightsBitForBit() {
    for (JsonNode net : Fixtures.json("networks/init_from_seed/init.json")) {
      ModelConfig config =
          ModelConfig.of(net.get("class_name").asString(), Fixtures.kwargs(net.get("init_kwargs")));
      String prefix = "net" + net.get("net").asInt() + ".";
      try (GradMode _ = GradMode.noGrad();
          TensorScope _ = TensorScope.open();
          Generator generator = Generator.seeded(net.get("manual_seed").asLong());
          Preconditioner network =
              Preconditioner.initialized(config, generator, LoadOptions.EXACT)) {
        Map<String, Tensor> expected = Fixtures.tensors("networks/init_from_seed/init.safetensors");
        network
            .state()
            .forEach((name, parameter) ->
                assertThat(parameter.value().toFloats())
                    .as(prefix + name)
                    .isEqualTo(required(expected.get(prefix + name)).toFloats()));
        double[] next = generator.randn(DType.FLOAT32, 4).toDoubles();
        JsonNode probe = net.get("randn4_after_construction");
        for (int i = 0; i < 4; i++) {
          assertThat(next[i]).isEqualTo(probe.get(i).asDouble());
        }
      }
    }
  }

  private static Tensor required(@Nullable Tensor tensor) {
    assertThat(tensor).isNotNull();
    return Objects.requireNonNull(tensor);
  }
}
