// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Recomputed segments give the gradients of those that are kept, to the bit. */
class ActivationCheckpointsTest {
  private static final int WIDTH = 16;

  /** Weights of four layers, the same for each seed. */
  private static List<Tensor> weights() {
    try (Generator generator = Generator.seeded(5)) {
      List<Tensor> weights = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        weights.add(generator.randn(DType.FLOAT32, WIDTH, WIDTH).requiresGrad(true));
      }
      return weights;
    }
  }

  private static Tensor layer(Tensor x, Tensor weight) {
    return Functional.dropout(LinearAlgebra.matmul(x, weight).silu(), 0.25);
  }

  private static Tensor segment(Tensor x, Tensor weight) {
    return ActivationCheckpoints.segment(in -> layer(in.getFirst(), weight), List.of(x));
  }

  /** As in a residual block, x is used by the layer and by the sum. */
  private static Tensor residual(Tensor x, Tensor weight) {
    return ActivationCheckpoints.segment(
        in -> layer(in.get(0), weight).add(in.get(1)), List.of(x, x));
  }

  /** A small U: two residual layers, the first of which is used again by the last. */
  private static Tensor loss(List<Tensor> w, Tensor input) {
    Tensor x = ActivationCheckpoints.boundary(LinearAlgebra.matmul(input, w.get(0)));
    Tensor a = residual(x, w.get(1));
    Tensor b = residual(a, w.get(2));
    Tensor joined =
        ActivationCheckpoints.segment(
            in -> segment(in.get(0).add(in.get(1)), w.get(3)), List.of(b, a));
    return Reduction.sum(Pointwise.square(joined.add(x)), Reduction.KeepDim.NO, 0, 1);
  }

  private static List<float[]> gradients(boolean checkpointed) {
    Generator.global().seed(11);
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(6)) {
      List<Tensor> w = weights();
      Tensor input = generator.randn(DType.FLOAT32, 3, WIDTH);
      for (int round = 0; round < 2; round++) {
        if (checkpointed) {
          try (ActivationCheckpoints _ = ActivationCheckpoints.open()) {
            // Whole when it returns: whoever averages gradients then has all of them.
            loss(w, input).backward();
          }
        } else {
          loss(w, input).backward();
        }
      }
      List<float[]> all = new ArrayList<>();
      w.forEach(t -> all.add(Objects.requireNonNull(t.grad()).toFloats()));
      // The next draw: the generator stands where it does without checkpoints.
      all.add(Generator.global().rand(DType.FLOAT32, 4).toFloats());
      return all;
    }
  }

  @Test
  void gradientsAndGeneratorAreTheSameBits() {
    assertThat(gradients(true)).usingRecursiveComparison().isEqualTo(gradients(false));
  }

  @Test
  void eachSegmentIsComputedTwiceAndOnlyWhereCheckpointsAreOpen() {
    try (TensorScope _ = TensorScope.open()) {
      AtomicInteger calls = new AtomicInteger();
      Tensor x = Torch.ones(DType.FLOAT32, 3).requiresGrad(true);
      List<Tensor> in = List.of(x);
      ActivationCheckpoints.segment(i -> counted(calls, i), in);
      assertThat(calls).hasValue(1);
      try (ActivationCheckpoints _ = ActivationCheckpoints.open()) {
        Tensor y = ActivationCheckpoints.segment(i -> counted(calls, i), in);
        assertThat(calls).hasValue(2);
        Reduction.sum(y, Reduction.KeepDim.NO, 0).backward();
        assertThat(calls).hasValue(3);
        assertThat(Objects.requireNonNull(x.grad()).toFloats()).containsExactly(2, 2, 2);
        try (GradMode _ = GradMode.noGrad()) {
          assertThat(ActivationCheckpoints.segment(i -> counted(calls, i), in).requiresGrad())
              .isFalse();
        }
        ActivationCheckpoints.complete();
        assertThat(calls).hasValue(4);
      }
    }
  }

  private static Tensor counted(AtomicInteger calls, List<Tensor> in) {
    calls.incrementAndGet();
    return in.getFirst().mul(2);
  }

  @Test
  void aSegmentMayCloseItsInputs() {
    try (TensorScope _ = TensorScope.open();
        ActivationCheckpoints _ = ActivationCheckpoints.open()) {
      Tensor x = Torch.ones(DType.FLOAT32, 2).requiresGrad(true);
      Tensor y =
          ActivationCheckpoints.segment(
              in -> {
                try (Tensor mine = in.getFirst()) {
                  return mine.mul(3);
                }
              },
              List.of(x));
      Reduction.sum(y, Reduction.KeepDim.NO, 0).backward();
      assertThat(Objects.requireNonNull(x.grad()).toFloats()).containsExactly(3, 3);
    }
  }

  @Test
  void whatWasNotGoneBackThroughIsFreed() {
    long before = Tensor.liveCount();
    try (TensorScope _ = TensorScope.open();
        ActivationCheckpoints _ = ActivationCheckpoints.open()) {
      Tensor x = Torch.ones(DType.FLOAT32, 2).requiresGrad(true);
      Tensor y = ActivationCheckpoints.segment(in -> in.getFirst().mul(3), List.of(x));
      ActivationCheckpoints.boundary(y.mul(2));
    }
    assertThat(Tensor.liveCount()).isEqualTo(before);
  }

  @Test
  void misuseIsRefused() throws InterruptedException {
    ActivationCheckpoints open = ActivationCheckpoints.open();
    assertThatThrownBy(ActivationCheckpoints::open)
        .isInstanceOf(TorchException.class)
        .hasMessage("activation checkpoints are already open on this thread");
    List<RuntimeException> thrown = new ArrayList<>();
    Thread other =
        new Thread(() -> {
          try {
            open.close();
          } catch (TorchException e) {
            thrown.add(e);
          }
        });
    other.start();
    other.join();
    open.close();
    open.close();
    ActivationCheckpoints.complete();
    assertThat(thrown).hasSize(1).first().asString().contains("belong to thread");
  }
}
