// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.math.BigInteger;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.model.safetensors.SafetensorsFile;
import org.relaydiffusion.model.unet.UNetConfig;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Parameter;
import tools.jackson.databind.JsonNode;

/** Names, orders, noise levels and refusals of whole networks. */
class NetworkStructureTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "adm_cond_aug_attn",
        "adm_grey_cond",
        "adm_uncond_noattn",
        "edm_ddpmpp_cond_aug",
        "edm_song_skip",
        "iddpm_adm",
        "ve_ncsnpp",
        "vp_ddpmpp"
      })
  void statesHaveTheReferencesNamesInItsOrder(String name) {
    JsonNode json = Fixtures.json("networks/" + name + "/config.json");
    try (Preconditioner network = Preconditioner.of(config(json))) {
      assertThat(network.state().keySet())
          .containsExactlyElementsOf(strings(json.get("state_dict_order")));
      assertThat(names(network, Parameter.Kind.PARAMETER))
          .containsExactlyElementsOf(strings(json.get("parameter_order")));
      assertThat(names(network, Parameter.Kind.BUFFER))
          .containsExactlyElementsOf(strings(json.get("buffer_order")));
      assertThat(network.parameterCount()).isEqualTo(json.get("num_parameters").asLong());
    }
  }

  @Test
  void everyBlocksOutputIsTheReferences() {
    JsonNode json = Fixtures.json("networks/adm_uncond_noattn/config.json");
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        SafetensorsFile weights = weights("adm_uncond_noattn");
        Preconditioner network =
            Preconditioner.load(config(json), weights.tensors(), LoadOptions.EXACT)) {
      Map<String, Tensor> expected =
          Fixtures.tensors("networks/adm_uncond_noattn/blocks.safetensors");
      Map<String, Tensor> io = Fixtures.tensors("networks/adm_uncond_noattn/io.safetensors");
      Map<String, Double> distances = new TreeMap<>();
      network.observe((path, output) -> {
        Tensor reference = expected.get("call0." + path);
        if (reference != null) {
          distances.put(path, Fixtures.distance(output, reference));
        }
      });
      network.denoise(
          Objects.requireNonNull(io.get("call0.x")),
          Objects.requireNonNull(io.get("call0.sigma")),
          null);
      network.observe(null);
      assertThat(distances).hasSize(expected.size());
      assertThat(distances.values()).allSatisfy(d -> assertThat(d).isLessThan(2e-5));
    }
  }

  @Test
  void vpTurnsTimeIntoNoiseAndBackAsTheReferenceDoes() {
    JsonNode json = Fixtures.json("networks/vp_ddpmpp/config.json");
    JsonNode table = json.get("sigma_table");
    try (TensorScope _ = TensorScope.open();
        VpPreconditioner network = (VpPreconditioner) Preconditioner.of(config(json))) {
      assertThat(network.sigmaMin()).isEqualTo(json.get("sigma_min").asDouble());
      assertThat(network.sigmaMax()).isEqualTo(json.get("sigma_max").asDouble());
      double[] t = doubles(table.get("t"));
      double[] sigma = network.sigma(Torch.tensor(t, t.length).to(DType.FLOAT32)).toDoubles();
      double[] expected = doubles(table.get("sigma_of_t_f32"));
      for (int i = 0; i < t.length; i++) {
        // exp(x) - 1 of float32 keeps two digits at the smallest time; a last bit shows.
        assertThat(sigma[i]).isCloseTo(expected[i], within(1e-6 * expected[i] + 1e-9));
      }
    }
  }

  @Test
  void iddpmRoundsToTheReferencesLevels() {
    JsonNode json = Fixtures.json("networks/iddpm_adm/config.json");
    JsonNode table = json.get("round_sigma");
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        SafetensorsFile weights = weights("iddpm_adm");
        IddpmPreconditioner network =
            (IddpmPreconditioner)
                Preconditioner.load(config(json), weights.tensors(), LoadOptions.EXACT)) {
      double[] sigma = doubles(table.get("sigma"));
      double[] value = doubles(table.get("value"));
      long[] index = network.index(Torch.tensor(sigma, sigma.length)).toLongs();
      for (int i = 0; i < sigma.length; i++) {
        assertThat(index[i]).isEqualTo(table.get("index").get(i).asLong());
        assertThat(network.roundSigma(sigma[i])).isEqualTo(value[i]);
      }
      assertThat(network.sigmaMin()).isEqualTo(json.get("sigma_min").asDouble());
      assertThat(network.sigmaMax()).isEqualTo(json.get("sigma_max").asDouble());
    }
  }

  @Test
  void iddpmsOwnLevelsAreTheReferences() {
    JsonNode json = Fixtures.json("networks/iddpm_adm/config.json");
    try (TensorScope _ = TensorScope.open();
        SafetensorsFile weights = weights("iddpm_adm");
        Generator generator = Generator.seeded(0);
        Preconditioner network =
            Preconditioner.initialized(config(json), generator, LoadOptions.EXACT)) {
      Tensor expected = Torch.fromData(Objects.requireNonNull(weights.tensors().get("u")));
      double[] own = Objects.requireNonNull(network.state().get("u")).value().toDoubles();
      double[] reference = Shapes.copy(expected).toDoubles();
      for (int j = 0; j < own.length; j++) {
        // The small tail is cancellation in float32 (fixtures/README.md): absolute there.
        assertThat(own[j]).isCloseTo(reference[j], within(2e-4 + 1e-4 * reference[j]));
      }
    }
  }

  @Test
  void aSummaryListsEveryPartWithItsOutput() {
    JsonNode json = Fixtures.json("networks/adm_grey_cond/config.json");
    try (SafetensorsFile weights = weights("adm_grey_cond");
        Preconditioner network =
            Preconditioner.load(config(json), weights.tensors(), LoadOptions.EXACT)) {
      ModuleSummary summary = ModuleSummary.of(network, 2);
      assertThat(summary.parameters()).isEqualTo(json.get("num_parameters").asLong());
      assertThat(summary.rows())
          .anySatisfy(r -> {
            assertThat(r.name()).isEqualTo("model.enc.8x8_down");
            assertThat(r.kind()).isEqualTo("UNetBlock");
            assertThat(r.shape()).isEqualTo(List.of(1L, 4L, 8L, 8L));
            assertThat(r.dtype()).isEqualTo(DType.FLOAT32);
          });
      assertThat(summary.toString()).contains("model.out_conv").contains("11,245");
    }
  }

  @Test
  void aStateThatIsNotTheNetworksIsRefusedByTensor() {
    JsonNode json = Fixtures.json("networks/adm_grey_cond/config.json");
    try (SafetensorsFile weights = weights("adm_grey_cond")) {
      Map<String, TensorShape> good = new HashMap<>();
      weights.tensors().forEach((name, data) -> good.put(name, TensorShape.of(data)));
      Preconditioner.check(config(json), good, List.of());
      assertThatThrownBy(() ->
              Preconditioner.check(
                  config(json), good, List.of("model", "model.enc", "model.enc.99x99_more")))
          .hasMessage("module model.enc.99x99_more is not part of this network");
      Map<String, TensorShape> missing = new HashMap<>(good);
      missing.remove("model.out_conv.bias");
      assertThatThrownBy(() -> Preconditioner.check(config(json), missing, List.of()))
          .hasMessage("tensor model.out_conv.bias of shape [1] is missing");
      Map<String, TensorShape> extra = new HashMap<>(good);
      extra.put("model.more", TensorShape.of(DType.FLOAT32, 1));
      assertThatThrownBy(() -> Preconditioner.check(config(json), extra, List.of()))
          .hasMessageContaining("tensor model.more is not part of this network");
      Map<String, TensorShape> mistaken = new HashMap<>(good);
      mistaken.put("model.out_conv.bias", TensorShape.of(DType.FLOAT32, 8));
      assertThatThrownBy(() -> Preconditioner.check(config(json), mistaken, List.of()))
          .hasMessage("tensor model.out_conv.bias has shape [8], but this network has [1]");
      mistaken.put("model.out_conv.bias", TensorShape.of(DType.INT64, 1));
      assertThatThrownBy(() -> Preconditioner.check(config(json), mistaken, List.of()))
          .hasMessageContaining("tensor model.out_conv.bias is int64");
    }
  }

  @Test
  void settingsThatMakeNoNetworkAreRefusedByName() {
    Map<String, Object> good =
        Map.of("img_resolution", 16L, "img_channels", 3L, "model_channels", 4L);
    ModelConfig two = ModelConfig.of("EDMPrecond", with(good, "channel_mult", List.of(1L, 2L)));
    assertThat(UNetConfig.of(two.network()).channelMult()).containsExactly(1, 2);
    assertThatThrownBy(() -> ModelConfig.of("OtherPrecond", good))
        .hasMessageContaining("unknown network class 'OtherPrecond'");
    assertThatThrownBy(() -> ModelConfig.of("EDMPrecond", with(good, "model_type", "Transformer")))
        .hasMessageContaining(
            "model_type must be one of DhariwalUNet, SongUNet, not \"Transformer\"");
    // Narrowed to a long this would be 8, and this an infinity.
    BigInteger eight = BigInteger.TWO.pow(64).add(BigInteger.valueOf(8));
    assertThatThrownBy(() -> ModelConfig.of("EDMPrecond", with(good, "model_channels", eight)))
        .hasMessageContaining("model_channels must be an integer")
        .hasMessageContaining("not 18446744073709551624");
    assertThatThrownBy(
            () -> ModelConfig.of("EDMPrecond", with(good, "sigma_max", BigInteger.TEN.pow(400))))
        .hasMessageContaining("sigma_max must be a number");
    assertThatThrownBy(() -> ModelConfig.of("EDMPrecond", with(good, "model_channels", -1L)))
        .hasMessageContaining("model_channels must be an integer");
    assertThatThrownBy(() -> ModelConfig.of("EDMPrecond", with(good, "model_channels", 1L << 40)))
        .hasMessageContaining("model_channels");
    assertThatThrownBy(() -> ModelConfig.of("EDMPrecond", with(good, "surprise", 1L)))
        .hasMessageContaining("has no setting 'surprise'");
    assertThatThrownBy(() ->
            ModelConfig.of(
                "EDMPrecond", with(good, "channel_mult", List.of(1L, 1L, 1L, 1L, 1L, 1L))))
        .hasMessageContaining("must be a multiple of 32, not 16");
    assertThatThrownBy(() -> ModelConfig.of("EDMPrecond", with(good, "img_resolution", 12L)))
        .hasMessage(
            "channel_mult has 4 levels, so the side of an image must be a multiple of 8, not 12");
    assertThatThrownBy(() -> ModelConfig.of("EDMPrecond", with(good, "model_channels", 7L)))
        .hasMessageContaining("model_channels must be even and at least 4, not 7");
    ModelConfig groups =
        ModelConfig.of(
            "EDMPrecond", with(with(good, "model_channels", 130L), "channel_mult", List.of(1L)));
    assertThatThrownBy(() -> Preconditioner.of(groups))
        .isInstanceOf(ModelException.class)
        .hasMessage("130 channels cannot be normalised in 32 equal groups");
    Map<String, Object> wide =
        with(with(good, "model_channels", 160L), "channel_mult", List.of(1L));
    Preconditioner.of(ModelConfig.of("EDMPrecond", with(wide, "attn_resolutions", List.of(16L))))
        .close();
    ModelConfig heads =
        ModelConfig.of(
            "EDMPrecond", with(with(wide, "model_channels", 224L), "channel_mult", List.of(1L)));
    assertThatThrownBy(() -> Preconditioner.of(heads))
        .hasMessage("224 channels cannot be cut into 3 equal attention heads");
  }

  private static Map<String, Object> with(Map<String, Object> base, String name, Object value) {
    Map<String, Object> copy = new HashMap<>(base);
    copy.put(name, value);
    return copy;
  }

  private static ModelConfig config(JsonNode json) {
    return ModelConfig.of(
        json.get("class_name").asString(), Fixtures.kwargs(json.get("init_kwargs")));
  }

  private static SafetensorsFile weights(String name) {
    return SafetensorsFile.open(Fixtures.path("networks/" + name + "/weights.safetensors"));
  }

  private static List<String> names(Preconditioner network, Parameter.Kind kind) {
    return network.state().entrySet().stream()
        .filter(e -> e.getValue().kind() == kind)
        .map(Map.Entry::getKey)
        .toList();
  }

  private static List<String> strings(JsonNode node) {
    return node.valueStream().map(JsonNode::asString).toList();
  }

  private static double[] doubles(JsonNode node) {
    return node.valueStream().mapToDouble(JsonNode::asDouble).toArray();
  }
}
