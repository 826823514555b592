// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.optim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.MemoryFormat;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Module;
import org.relaydiffusion.torch.nn.Parameter;
import org.relaydiffusion.torch.testing.Weights;

/** Gradients are cleaned as the reference cleans them, and looked at for what is not finite. */
class GradientsTest {
  private static final float NAN = Float.NaN;
  private static final float INF = Float.POSITIVE_INFINITY;

  private static float[] grad(Weights w, int i) {
    try (Tensor grad = Objects.requireNonNull(w.value(i).grad())) {
      return grad.toFloats();
    }
  }

  /** Fixture training/schedules, {@code nan_to_num}: exact. */
  @Test
  void whatIsNoNumberIsReplacedAndLargeNumbersStay() {
    try (Weights w = new Weights(new float[6], new float[1])) {
      w.setGrad(0, NAN, INF, -INF, 1e30f, -1e30f, 0.5f);
      Gradients.replaceNonFinite(w.parameters());
      assertThat(grad(w, 0)).containsExactly(0, 1e5f, -1e5f, 1e30f, -1e30f, 0.5f);
      assertThat(w.value(1).grad()).isNull();
    }
  }

  @Test
  void oneInfiniteDerivativeIsFound() {
    try (Weights w = new Weights(new float[2], new float[1], new float[3])) {
      assertThat(Gradients.areFinite(w.parameters())).as("without gradients").isTrue();
      w.setGrad(0, 1e38f, -2);
      w.setGrad(2, 3, 4, 5);
      assertThat(Gradients.areFinite(w.parameters())).isTrue();
      assertThat(grad(w, 0)).containsExactly(1e38f, -2);
      for (float bad : new float[] {NAN, INF, -INF}) {
        w.setGrad(2, 3, bad, 5);
        assertThat(Gradients.areFinite(w.parameters())).isFalse();
        assertThat(grad(w, 2)).containsExactly(3, bad, 5);
      }
      assertThat(Gradients.areFinite(List.of())).isTrue();
    }
  }

  @Test
  void unscalingMultipliesEveryGradient() {
    try (Weights w = new Weights(new float[2], new float[1])) {
      w.setGrad(0, 8, -2);
      w.setGrad(1, 3);
      assertThat(Gradients.unscale(w.parameters(), 0.25)).isTrue();
      assertThat(grad(w, 0)).containsExactly(2, -0.5f);
      assertThat(grad(w, 1)).containsExactly(0.75f);
    }
  }

  /** As on CUDA: those without a gradient are passed over, and the parameters see what is done. */
  @Test
  void gatheredGradientsShareOneMemory() {
    try (TensorScope _ = TensorScope.open();
        Weights w = new Weights(new float[2], new float[1], new float[3])) {
      w.setGrad(0, 1, NAN);
      w.setGrad(2, 3, -INF, 5);
      List<Tensor> all = GatheredGradients.of(w.parameters());
      assertThat(all).hasSize(1);
      Pointwise.nanToNumInPlace(all.getFirst(), 0, 1e5, -1e5);
      assertThat(grad(w, 0)).containsExactly(1, 0);
      assertThat(w.value(1).grad()).isNull();
      assertThat(grad(w, 2)).containsExactly(3, -1e5f, 5);
    }
  }

  /** So that not all of them exist twice at one time; what was gathered is freed. */
  @Test
  void gatheredGradientsShareAsManyMemoriesAsTheirSizeAsksFor() {
    try (TensorScope _ = TensorScope.open();
        Weights w = new Weights(new float[2], new float[1], new float[20], new float[3])) {
      w.setGrad(0, 1, NAN);
      w.setGrad(1, 2);
      w.setGrad(2, new float[20]);
      w.setGrad(3, 3, -INF, 5);
      // Each begins at a multiple of 16 elements.
      List<Tensor> all = GatheredGradients.of(w.parameters(), 2 * 16 * Float.BYTES);
      assertThat(all).extracting(Tensor::numel).containsExactly(32L, 32L, 16L);
      assertThat(grad(w, 0)).containsExactly(1, NAN);
      assertThat(grad(w, 1)).containsExactly(2);
      assertThat(grad(w, 2)).containsOnly(0);
      assertThat(grad(w, 3)).containsExactly(3, -INF, 5);
    }
  }

  /** Optimizers' kernels walk through parameter and gradient in step. */
  @Test
  void gatheredGradientsLieAsTheirParameters() {
    try (TensorScope _ = TensorScope.open();
        Channels module = new Channels()) {
      Parameter p = module.parameters().getFirst();
      Tensor grad = Torch.arange(24, DType.FLOAT32).reshape(2, 3, 2, 2);
      p.value().setGrad(grad);
      GatheredGradients.of(module.parameters());
      Tensor gathered = Objects.requireNonNull(p.value().grad());
      assertThat(gathered.strides()).isEqualTo(p.value().strides()).isNotEqualTo(grad.strides());
      assertThat(gathered.toFloats()).isEqualTo(grad.toFloats());
    }
  }

  /** A weight in channels-last order. */
  private static final class Channels extends Module {
    Channels() {
      Parameter p = parameter("w", (_, s) -> Torch.zeros(DType.FLOAT32, s), 2, 3, 2, 2);
      p.set(
          Shapes.contiguous(Torch.zeros(DType.FLOAT32, 2, 3, 2, 2), MemoryFormat.CHANNELS_LAST)
              .requiresGrad(true));
    }
  }
}
