// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.guidance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.relaydiffusion.diffusion.fixture.Tensors.assertClose;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.diffusion.fixture.RecordingDenoiser;
import org.relaydiffusion.diffusion.fixture.SamplerNets;
import org.relaydiffusion.diffusion.guidance.Guidance.Evaluation;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

class GuidanceTest {
  private static GuidedDenoiser guided(
      Denoiser net, @Nullable Tensor labels, Evaluation evaluation) {
    return Guidance.of(GuidanceOptions.scale(3.5), net, null, labels, evaluation);
  }

  @Test
  void oneBatchedCallGivesWhatTwoCallsGive() {
    try (var _ = GradMode.noGrad();
        SamplerNets nets = SamplerNets.open("cond16", LoadOptions.EXACT);
        var _ = TensorScope.open();
        Generator generator = Generator.seeded(0)) {
      RecordingDenoiser net = new RecordingDenoiser(nets.net());
      Tensor x = generator.randn(DType.FLOAT64, 2, 3, 16, 16);
      Tensor labels = Torch.tensor(new float[] {0, 1, 0, 0, 0, 0, 0, 1}, 2, 4);
      Tensor separate = guided(net, labels, Evaluation.SEPARATE).denoise(x, 0.7);
      assertThat(net.calls).hasSize(2);
      assertThat(net.calls.get(0).labelled()).isTrue();
      assertThat(net.calls.get(1).labelled()).isFalse();
      Tensor batched = guided(net, labels, Evaluation.BATCHED).denoise(x, 0.7);
      assertThat(net.calls).hasSize(3);
      // float32 rounding of a network, times 3.5 + 2.5.
      assertClose(batched, separate, 1e-5, "batched guidance");
    }
  }

  @Test
  void withoutLabelsOneCallIsEnough() {
    try (var _ = GradMode.noGrad();
        SamplerNets nets = SamplerNets.open("cond16", LoadOptions.EXACT);
        var _ = TensorScope.open();
        Generator generator = Generator.seeded(0)) {
      RecordingDenoiser net = new RecordingDenoiser(nets.net());
      Tensor x = generator.randn(DType.FLOAT64, 2, 3, 16, 16);
      Tensor separate = guided(net, null, Evaluation.SEPARATE).denoise(x, 0.7);
      Tensor batched = guided(net, null, Evaluation.BATCHED).denoise(x, 0.7);
      assertThat(net.calls).hasSize(3);
      assertClose(batched, separate, 1e-6, "guidance without labels");
    }
  }
}
