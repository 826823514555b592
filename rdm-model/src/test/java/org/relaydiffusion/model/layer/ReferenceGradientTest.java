// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.torch.Autograd;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/** What the reference computes otherwise than autograd would: to the bit, on any LibTorch. */
class ReferenceGradientTest {
  /** A width whose root is no power of two, so that it matters when it is divided by. */
  private static final int WIDTH = 24;

  @Test
  void attentionsScoresAreOfTheDividedKeysAndGoBackThroughTheUndivided() {
    double root = Math.sqrt(WIDTH);
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(5)) {
      Tensor q = generator.randn(DType.FLOAT32, 3, WIDTH, 17).requiresGrad(true);
      Tensor k = generator.randn(DType.FLOAT32, 3, WIDTH, 17).requiresGrad(true);
      Tensor slope = generator.randn(DType.FLOAT32, 3, 17, 17);

      Tensor scores = SelfAttention.scores(q, k, root);
      Autograd.backward(scores, slope, Autograd.Graph.FREE);

      try (GradMode _ = GradMode.noGrad()) {
        assertSame(scores, LinearAlgebra.einsum("ncq,nck->nqk", q, k.div(root)));
        assertSame(scores, SelfAttention.scores(q, k, root));
        assertSame(grad(q), LinearAlgebra.einsum("nck,nqk->ncq", k, slope).div(root));
        assertSame(grad(k), LinearAlgebra.einsum("ncq,nqk->nck", q, slope).div(root));
      }
    }
  }

  @Test
  void aModulatedNormHasTheSameBitsInTrainingAndInSampling() {
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(6);
        GroupNorm norm = new GroupNorm(32, 1e-5)) {
      norm.state().values().forEach(p -> p.set(generator.randn(DType.FLOAT32, p.shape())));
      Tensor x = generator.randn(DType.FLOAT32, 2, 32, 8, 8).requiresGrad(true);
      Tensor scale = generator.randn(DType.FLOAT32, 2, 32, 1, 1).requiresGrad(true);
      Tensor shift = generator.randn(DType.FLOAT32, 2, 32, 1, 1).requiresGrad(true);
      Tensor trained = norm.modulated(x, scale, shift);
      assertThat(trained.requiresGrad()).isTrue();
      try (GradMode _ = GradMode.noGrad()) {
        assertSame(trained, norm.modulated(x, scale, shift));
      }
    }
  }

  private static Tensor grad(Tensor x) {
    return Objects.requireNonNull(x.grad(), "no gradient");
  }

  private static void assertSame(Tensor actual, Tensor expected) {
    assertThat(actual.detach().contiguous().toFloats()).isEqualTo(expected.contiguous().toFloats());
  }
}
