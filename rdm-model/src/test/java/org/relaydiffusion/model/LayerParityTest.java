// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.relaydiffusion.model.layer.BlockStyle;
import org.relaydiffusion.model.layer.Conv2d;
import org.relaydiffusion.model.layer.Execution;
import org.relaydiffusion.model.layer.FourierEmbedding;
import org.relaydiffusion.model.layer.GroupNorm;
import org.relaydiffusion.model.layer.Layer;
import org.relaydiffusion.model.layer.Linear;
import org.relaydiffusion.model.layer.PositionalEmbedding;
import org.relaydiffusion.model.layer.Resample;
import org.relaydiffusion.model.layer.UNetBlock;
import org.relaydiffusion.model.layer.WeightInit;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.MemoryFormat;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.nn.Module;
import tools.jackson.databind.JsonNode;

/**
 * Single layers against the reference's: fixture networks/layers, exact and packed.
 *
 * <p>Tolerance: 2e-5 of the output's largest value, as for whole networks.
 */
class LayerParityTest {
  private static final double TOLERANCE = 2e-5;
  private static final int ANY_RESOLUTION = 8;

  @TestFactory
  Stream<DynamicTest> everyLayerGivesTheReferencesOutput() {
    return Fixtures.json("networks/layers/layers.json")
        .valueStream()
        .flatMap(unit ->
            Stream.of(Numerics.values())
                .map(numerics ->
                    DynamicTest.dynamicTest(
                        unit.get("name").asString() + " " + numerics,
                        () -> check(unit, numerics))));
  }

  private static void check(JsonNode unit, Numerics numerics) {
    String name = unit.get("name").asString() + ".";
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open()) {
      Map<String, Tensor> io = Fixtures.tensors("networks/layers/layers.safetensors");
      Tensor in0 = required(io, name + "in0");
      try (Module layer = layer(unit, io, in0)) {
        layer.state().forEach((key, p) -> p.set(Shapes.copy(required(io, name + "state." + key))));
        if (numerics == Numerics.FAST) {
          Layer.prepareAll(layer, new Execution.Packed(DType.FLOAT32));
        }
        Tensor x =
            numerics == Numerics.FAST && in0.rank() == 4
                ? Shapes.contiguous(in0, MemoryFormat.CHANNELS_LAST)
                : in0;
        Tensor output =
            switch (layer) {
              case UNetBlock block -> block.forward(x, required(io, name + "in1"));
              case Conv2d conv -> conv.forward(x);
              case Linear linear -> linear.forward(x);
              case GroupNorm norm -> norm.forward(x);
              case PositionalEmbedding embedding -> embedding.forward(x);
              case FourierEmbedding embedding -> embedding.forward(x);
              default -> throw new AssertionError(layer);
            };
        assertThat(Fixtures.distance(output, required(io, name + "output"))).isLessThan(TOLERANCE);
      }
    }
  }

  private static Module layer(JsonNode unit, Map<String, Tensor> io, Tensor in) {
    JsonNode k = unit.get("init_kwargs");
    String name = unit.get("name").asString();
    return switch (unit.get("class_name").asString()) {
      case "UNetBlock" -> new UNetBlock(block(k));
      case "Conv2d" -> new Conv2d(conv(k));
      case "Linear" -> {
        long[] w = required(io, name + ".state.weight").shape();
        yield k.path("bias").asBoolean(true)
            ? Linear.of((int) w[1], (int) w[0], WeightInit.DEFAULT)
            : Linear.withoutBias((int) w[1], (int) w[0], WeightInit.DEFAULT);
      }
      case "GroupNorm" -> new GroupNorm((int) in.size(1), k.path("eps").asDouble(1e-5));
      case "PositionalEmbedding" ->
          new PositionalEmbedding(
              channels(io, name),
              k.path("endpoint").asBoolean(false)
                  ? PositionalEmbedding.Endpoint.INCLUDED
                  : PositionalEmbedding.Endpoint.EXCLUDED);
      case "FourierEmbedding" -> new FourierEmbedding(channels(io, name));
      default -> throw new AssertionError(name);
    };
  }

  private static int channels(Map<String, Tensor> io, String name) {
    return (int) required(io, name + ".output").size(1);
  }

  private static Resample resample(JsonNode k) {
    return k.path("up").asBoolean(false)
        ? Resample.UP
        : k.path("down").asBoolean(false) ? Resample.DOWN : Resample.NONE;
  }

  private static List<Integer> filter(JsonNode k) {
    JsonNode f = k.path("resample_filter");
    return f.isMissingNode() ? List.of(1, 1) : f.valueStream().map(JsonNode::asInt).toList();
  }

  private static Conv2d.Config conv(JsonNode k) {
    return new Conv2d.Config(
        k.get("in_channels").asInt(),
        k.get("out_channels").asInt(),
        k.get("kernel").asInt(),
        ANY_RESOLUTION,
        resample(k),
        filter(k),
        k.get("fused_resample").asBoolean(),
        WeightInit.DEFAULT,
        k.get("bias").asBoolean(),
        1);
  }

  static UNetBlock.Config block(JsonNode k) {
    BlockStyle style =
        BlockStyle.of(k.get("emb_channels").asInt())
            .heads(
                k.has("num_heads")
                    ? BlockStyle.Heads.fixed(k.get("num_heads").asInt())
                    : BlockStyle.Heads.ofChannels(k.path("channels_per_head").asInt(64)))
            .skipScale(k.path("skip_scale").asDouble(1))
            .eps(k.path("eps").asDouble(1e-5))
            .resampleFilter(filter(k))
            .skip(
                k.path("resample_proj").asBoolean(false)
                    ? BlockStyle.Skip.ALWAYS_PROJECTED
                    : BlockStyle.Skip.PROJECTED_WHERE_CHANNELS_CHANGE)
            .modulation(
                k.path("adaptive_scale").asBoolean(true)
                    ? BlockStyle.Modulation.SCALE_AND_SHIFT
                    : BlockStyle.Modulation.SHIFT)
            .attention(
                k.path("eff_attn").asBoolean(false)
                    ? BlockStyle.AttentionKernel.FUSED
                    : BlockStyle.AttentionKernel.SOFTMAX);
    return new UNetBlock.Config(
        k.get("in_channels").asInt(),
        k.get("out_channels").asInt(),
        ANY_RESOLUTION,
        resample(k),
        k.path("attention").asBoolean(false),
        style);
  }

  private static Tensor required(Map<String, Tensor> io, String name) {
    return Objects.requireNonNull(io.get(name), name);
  }
}
