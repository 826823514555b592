// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.loss;

import static org.assertj.core.api.Assertions.assertThat;
import static org.relaydiffusion.diffusion.fixture.Tensors.assertClose;
import static org.relaydiffusion.diffusion.fixture.Tensors.assertSame;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.diffusion.augment.AugmentOptions;
import org.relaydiffusion.diffusion.augment.AugmentPipe;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.diffusion.fixture.Tensors;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.nn.Parameter;
import tools.jackson.databind.JsonNode;

/**
 * Every case of losses/ with a network: what the network is given, the loss, the gradient of every
 * parameter, and where the generator stands after.
 */
class LossParityTest {
  // Two LibTorch versions differ by 1.3e-5 of a tensor's largest value on these cases, gradients
  // included (the fixtures' README); the bound leaves room for other processors' kernels.
  private static final double TOLERANCE = 1e-4;

  // What is not differentiated comes closer: augmentation differs by 3e-6 there, the rest by less.
  private static final double INPUT = 3e-5;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "edm",
        "edm_aug",
        "edm_params",
        "vp",
        "vp_aug",
        "ve",
        "ve_aug",
        "blur_block0",
        "blur_block015",
        "blur_celebahq_aug",
        "blur_up2"
      })
  void lossAndGradientsAreTheReferences(String name) {
    Fixture fixture = Fixture.of("losses/" + name);
    JsonNode config = fixture.json("config.json");
    Tensors io = Tensors.read(fixture.file("io.safetensors"));
    try (TensorScope _ = TensorScope.open();
        Preconditioner net = LossNets.open(config.path("net").asString());
        Generator generator = Generator.seeded(config.path("manual_seed").longValue())) {
      Tensor images = io.get("images_u8").to(DType.FLOAT32).div(127.5).add(-1);
      Tensor labels = io.has("labels") ? io.get("labels") : null;
      AtomicInteger calls = new AtomicInteger();
      TrainedDenoiser checked =
          (x, sigma, given, augment) -> {
            calls.incrementAndGet();
            assertClose(sigma, io.get("net_sigma"), 1e-6, "sigma");
            assertClose(x, io.get("net_x"), INPUT, "the network's input");
            assertThat(augment != null).isEqualTo(io.has("augment_labels"));
            if (augment != null) {
              assertClose(augment, io.get("augment_labels"), INPUT, "augmentation labels");
            }
            return net.denoise(x, sigma, given, augment);
          };
      Tensor loss =
          loss(config)
              .of(checked, images, labels, pipe(config), new NoiseSource(generator, generator));
      assertThat(calls).hasValue(1);
      assertClose(loss, io.get("loss"), TOLERANCE, "loss");

      sum(loss).div(config.path("t").doubleValue()).backward();
      checkGradients(net, config, io);
      assertSame(generator.randn(DType.FLOAT32, 4), io.get("rng_probe_randn4"), "the next draw");
    }
  }

  private static void checkGradients(Preconditioner net, JsonNode config, Tensors io) {
    List<String> without =
        config.path("params_without_grad").valueStream().map(JsonNode::asString).toList();
    for (var entry : net.state().entrySet()) {
      String name = entry.getKey();
      Parameter p = entry.getValue();
      Tensor grad = p.value().grad();
      if (p.kind() == Parameter.Kind.BUFFER || without.contains(name)) {
        assertThat(grad).as("gradient of %s", name).isNull();
      } else {
        assertThat(grad).as("gradient of %s", name).isNotNull();
        assertClose(
            Objects.requireNonNull(grad), io.get("grad." + name), TOLERANCE, "grad." + name);
      }
    }
  }

  private static Tensor sum(Tensor x) {
    return Reduction.sum(x.reshape(-1), Reduction.KeepDim.NO, 0);
  }

  private static @Nullable AugmentPipe pipe(JsonNode config) {
    JsonNode kwargs = config.path("augment_kwargs");
    if (kwargs.isNull()) {
      return null;
    }
    Map<String, Double> values = new HashMap<>();
    kwargs.properties().forEach(e -> values.put(e.getKey(), e.getValue().doubleValue()));
    return new AugmentPipe(AugmentOptions.ofKwargs(values), Numerics.EXACT);
  }

  private static Loss loss(JsonNode config) {
    JsonNode k = config.path("loss_kwargs");
    return switch (config.path("loss").asString()) {
      case "EDMLoss" ->
          k.isEmpty()
              ? new EdmLoss()
              : new EdmLoss(
                  k.path("P_mean").doubleValue(),
                  k.path("P_std").doubleValue(),
                  k.path("sigma_data").doubleValue());
      case "VPLoss" -> new VpLoss();
      case "VELoss" ->
          k.isEmpty()
              ? new VeLoss()
              : new VeLoss(k.path("sigma_min").doubleValue(), k.path("sigma_max").doubleValue());
      case "BlurLoss" ->
          new BlurLoss(
              k.path("block_scale").doubleValue(),
              k.path("up_scale").intValue(),
              k.path("prob_length").doubleValue(),
              k.path("blur_sigma_max").doubleValue());
      default -> throw new AssertionError(config);
    };
  }
}
