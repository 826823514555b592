// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.relaydiffusion.diffusion.fixture.Tensors.assertClose;
import static org.relaydiffusion.diffusion.fixture.Tensors.assertSame;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.diffusion.StageOptions;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.diffusion.fixture.RecordingDenoiser;
import org.relaydiffusion.diffusion.fixture.SamplerKwargs;
import org.relaydiffusion.diffusion.fixture.SamplerNets;
import org.relaydiffusion.diffusion.fixture.Tensors;
import org.relaydiffusion.diffusion.guidance.Guidance;
import org.relaydiffusion.diffusion.guidance.GuidedDenoiser;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import tools.jackson.databind.JsonNode;

/**
 * Every sampler case of samplers/: outputs, network calls, and where the generators stand after.
 */
class SamplerParityTest {
  // Two LibTorch versions differ by 2e-6 of the largest value on these cases (the fixtures'
  // README);
  // the bound leaves room for other processors' convolution kernels.
  private static final double TOLERANCE = 5e-5;

  // A few units in the last place: powers are not rounded alike everywhere.
  private static final double SIGMA = 1e-14;

  static Stream<String> cases() throws IOException {
    List<String> names = new ArrayList<>();
    try (var folders = Files.newDirectoryStream(Fixture.of("samplers").folder())) {
      for (var folder : folders) {
        Fixture fixture = new Fixture(folder);
        if (Files.exists(fixture.file("config.json"))
            && fixture.json("config.json").has("function")) {
          names.add(folder.getFileName().toString());
        }
      }
    }
    return names.stream().sorted();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void samplesAsTheReferenceDoes(String name) {
    Fixture fixture = Fixture.of("samplers/" + name);
    JsonNode config = fixture.json("config.json");
    Tensors io = Tensors.read(fixture.file("io.safetensors"));
    boolean enlarged = name.equals("blur_unpatched_128");
    try (var _ = GradMode.noGrad();
        SamplerNets nets =
            SamplerNets.open(config.path("net").asString(), enlarged ? 4 : 1, LoadOptions.EXACT);
        var _ = TensorScope.open();
        StackedGenerators noise = StackedGenerators.of(Fixture.longs(config.path("seeds")))) {
      RecordingDenoiser net = new RecordingDenoiser(nets.net());
      Tensor start = start(io, config, noise, net.resolution());
      Tensor labels = io.has("class_labels") ? io.get("class_labels") : null;
      List<Integer> steps = new ArrayList<>();
      StageOptions stage = stage(config);
      GuidedDenoiser guided =
          Guidance.of(stage.guidance(), net, null, labels, Guidance.Evaluation.SEPARATE);
      Solver solver = Solvers.of(stage.solver());
      Tensor output = solver.sample(guided, start, noise, (step, _, _) -> steps.add(step));

      checkCalls(config.path("network_calls"), net.calls, io);
      if (io.has("output")) {
        assertClose(output, io.get("output"), TOLERANCE, name);
      } else {
        Tensor half = Shapes.slice(output, 2, 0, output.size(2), 2);
        half = Shapes.slice(half, 3, 0, output.size(3), 2);
        assertClose(
            half.to(DType.FLOAT32), io.get("output_every_second_pixel_f32"), TOLERANCE, name);
      }
      assertSame(noise.randn(DType.FLOAT32, 4), io.get("generator_probe_randn4"), "the next draw");
      assertThat(steps).isNotEmpty();
      assertThat(steps.getLast()).isEqualTo(steps.size());
      assertThat(GradMode.isEnabled()).isFalse();
    }
  }

  private static Tensor start(
      Tensors io, JsonNode config, StackedGenerators noise, int resolution) {
    if (io.has("first_stage")) {
      // Stored as float32 where the reference's float64 image would have been too large a file.
      DType type =
          config.path("note").asString().contains("float32 latents")
              ? DType.FLOAT32
              : DType.FLOAT64;
      return Functional.upsampleNearest(io.get("first_stage"), resolution, resolution).to(type);
    }
    Tensor latents = io.get("latents");
    if (config.path("latents_drawn_from_same_generator").booleanValue()) {
      Tensor drawn = noise.randnLike(latents, DType.FLOAT32);
      assertSame(drawn, latents, "latents");
    }
    return latents;
  }

  private static void checkCalls(
      JsonNode expected, List<RecordingDenoiser.Call> calls, Tensors io) {
    assertThat(calls).hasSize(expected.size());
    for (int i = 0; i < calls.size(); i++) {
      JsonNode e = expected.get(i);
      RecordingDenoiser.Call call = calls.get(i);
      double sigma = e.path("sigma").doubleValue();
      assertThat(call.sigma()).as("sigma of call %s", i).isCloseTo(sigma, within(SIGMA * sigma));
      assertThat("torch." + call.sigmaType().torchName())
          .isEqualTo(e.path("sigma_dtype").asString());
      assertThat(call.labelled()).isEqualTo(e.path("has_labels").booleanValue());
      if (io.has("call" + i + ".x")) {
        float[] x = io.get("call" + i + ".x").toFloats();
        assertThat(call.x()).hasSameSizeAs(x);
        float largest = 0;
        float worst = 0;
        for (int k = 0; k < x.length; k++) {
          largest = Math.max(largest, Math.abs(x[k]));
          worst = Math.max(worst, Math.abs(x[k] - call.x()[k]));
        }
        assertThat(worst / largest).as("input of call %s", i).isLessThan((float) TOLERANCE);
      }
    }
  }

  private static StageOptions stage(JsonNode config) {
    boolean celebahq = config.path("script").asString().equals("generate_celebahq");
    JsonNode kwargs = config.path("kwargs");
    return config.path("function").asString().equals("edm_sampler")
        ? SamplerKwargs.edm(kwargs, celebahq)
        : SamplerKwargs.relay(kwargs, celebahq);
  }
}
