// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Gradients of simple functions, whose derivatives are known, and where they are kept. */
class AutogradTest {
  private TensorScope scope = TensorScope.open();

  @BeforeEach
  void open() {
    scope.close();
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private static Tensor leaf(double... values) {
    return Torch.tensor(values, values.length).requiresGrad(true);
  }

  private static Tensor sum(Tensor x) {
    return Reduction.sum(x.reshape(-1), Reduction.KeepDim.NO, 0);
  }

  private static double[] grad(Tensor x) {
    return Objects.requireNonNull(x.grad(), "no gradient").toDoubles();
  }

  @Test
  void backwardLeavesTheDerivativeAtTheLeaf() {
    Tensor x = leaf(1, -2, 3);
    assertThat(x.grad()).isNull();
    sum(Pointwise.square(x)).backward();
    assertThat(grad(x)).containsExactly(2, -4, 6);
  }

  @Test
  void gradientsAddUpUntilTheyAreCleared() {
    Tensor x = leaf(1, 2);
    sum(x.mul(3)).backward();
    Tensor first = Objects.requireNonNull(x.grad());
    sum(x.mul(4)).backward();
    assertThat(grad(x)).containsExactly(7, 7);
    assertThat(first.toDoubles()).as("the same memory").containsExactly(7, 7);
    x.clearGrad();
    assertThat(x.grad()).isNull();
    x.clearGrad();
    sum(x.mul(5)).backward();
    assertThat(grad(x)).containsExactly(5, 5);
    assertThat(first.toDoubles()).as("what was handed out stays").containsExactly(7, 7);
  }

  @Test
  void aGradientCanBeReplacedByOneOfTheSameKindOnly() {
    Tensor x = leaf(1, 2);
    Tensor given = Torch.tensor(new double[] {8, 9}, 2);
    x.setGrad(given);
    sum(x).backward();
    assertThat(grad(x)).containsExactly(9, 10);
    assertThatThrownBy(() -> x.setGrad(Torch.ones(DType.FLOAT32, 2)))
        .isInstanceOf(TorchException.class)
        .hasMessage("the gradient of float64[2] cannot be float32[2]");
    assertThatThrownBy(() -> x.setGrad(Torch.ones(DType.FLOAT64, 3)))
        .isInstanceOf(TorchException.class);
    x.setGrad(null);
    assertThat(x.grad()).isNull();
  }

  @Test
  void wantingAGradientIsPassedOnAndEndsAtDetach() {
    Tensor x = leaf(2);
    Tensor y = x.mul(3);
    assertThat(x.requiresGrad()).isTrue();
    assertThat(y.requiresGrad()).isTrue();
    assertThat(y.detach().requiresGrad()).isFalse();
    assertThat(Torch.scalar(1.0).requiresGrad()).isFalse();
    try (GradMode _ = GradMode.noGrad()) {
      assertThat(x.mul(3).requiresGrad()).isFalse();
    }
    sum(y.mul(y.detach())).backward();
    assertThat(grad(x)).as("the second factor is a constant").containsExactly(18);
    x.requiresGrad(false);
    assertThat(x.mul(3).requiresGrad()).isFalse();
    assertThat(x.detach().copyFrom(Torch.scalar(7.0)).item()).isEqualTo(x.item());
  }

  @Test
  void aFactorOfEachElementStandsForASum() {
    Tensor x = leaf(1, 2);
    Tensor factors = Torch.tensor(new double[] {10, 100}, 2);
    Autograd.backward(Pointwise.square(x), factors, Autograd.Graph.FREE);
    assertThat(grad(x)).containsExactly(20, 400);
  }

  @Test
  void aRetainedGraphGoesTwiceAndAFreedOneOnce() {
    Tensor x = leaf(3);
    Tensor y = sum(Pointwise.square(x));
    Autograd.backward(y, null, Autograd.Graph.RETAIN);
    y.backward();
    assertThat(grad(x)).containsExactly(12);
    assertThatThrownBy(y::backward)
        .isInstanceOf(TorchException.class)
        .hasMessageContaining("aten::_backward(self=float64[]");
  }

  @Test
  void gradGivesDerivativesAndTouchesNoLeaf() {
    Tensor x = leaf(1, 2);
    Tensor w = leaf(5, 7);
    x.setGrad(Torch.ones(DType.FLOAT64, 2));
    List<Tensor> grads = Autograd.grad(List.of(sum(x.mul(x).mul(w))), List.of(x));
    assertThat(grads.getFirst().toDoubles()).containsExactly(10, 28);
    assertThat(grad(x)).containsExactly(1, 1);
    assertThat(w.grad()).isNull();
  }

  @Test
  void gradOfSeveralOutputsIsThatOfTheirSum() {
    Tensor x = leaf(1, 2);
    Tensor w = leaf(3, 4);
    Tensor shared = x.mul(w);
    List<Tensor> outputs = List.of(shared, Pointwise.square(shared));
    List<Tensor> factors = List.of(Torch.ones(DType.FLOAT64, 2), Torch.full(0.5, DType.FLOAT64, 2));
    List<Tensor> grads = Autograd.grad(outputs, List.of(x, w), factors, Autograd.Graph.FREE);
    // d(xw + (xw)^2 / 2) = (1 + xw) d(xw)
    assertThat(grads.get(0).toDoubles()).containsExactly(3 * 4, 4 * 9);
    assertThat(grads.get(1).toDoubles()).containsExactly(1 * 4, 2 * 9);
  }

  @Test
  void gradByATensorOnTheWayStopsThere() {
    Tensor x = leaf(3);
    Tensor y = Pointwise.square(x);
    List<Tensor> grads = Autograd.grad(List.of(sum(y.mul(y))), List.of(y));
    assertThat(grads.getFirst().item()).isEqualTo(18);
    assertThat(x.grad()).isNull();
  }

  @Test
  void aRecordedGradientIsDifferentiatedAgain() {
    Tensor x = leaf(2);
    Tensor cube = sum(x.mul(x).mul(x));
    Tensor first = Autograd.grad(List.of(cube), List.of(x), null, Autograd.Graph.CREATE).getFirst();
    assertThat(first.item()).isEqualTo(12);
    assertThat(Autograd.grad(List.of(sum(first)), List.of(x)).getFirst().item()).isEqualTo(12);
    x.clearGrad();
  }

  @Test
  void misuseIsAnExceptionAndLeavesGradientsAsTheyWere() {
    Tensor x = leaf(1, 2);
    Tensor plain = Torch.ones(DType.FLOAT64, 2);
    x.setGrad(plain);
    Tensor y = Pointwise.square(x);
    Tensor twoFactors = Torch.ones(DType.FLOAT64, 3);
    List<Runnable> misuses =
        List.of(
            plain::backward,
            () -> sum(plain).backward(),
            y::backward,
            () -> Autograd.backward(y, twoFactors, Autograd.Graph.FREE),
            () -> Torch.ones(DType.INT64, 2).requiresGrad(true),
            () -> y.requiresGrad(false),
            () -> x.copyFrom(plain),
            () -> Pointwise.mulInPlace(x, plain),
            () -> Autograd.grad(List.of(), List.of(x)),
            () -> Autograd.grad(List.of(sum(y)), List.of()),
            () -> Autograd.grad(List.of(sum(y)), List.of(plain)),
            () -> Autograd.grad(List.of(sum(y)), List.of(leaf(1))),
            () -> Autograd.grad(List.of(y), List.of(x)),
            () -> Autograd.grad(List.of(y, y), List.of(x)),
            () -> Autograd.grad(List.of(y), List.of(x), List.of(), Autograd.Graph.FREE),
            () ->
                Autograd.grad(
                    List.of(y, y), List.of(x), List.of(plain, twoFactors), Autograd.Graph.FREE));
    for (int i = 0; i < misuses.size(); i++) {
      assertThatThrownBy(misuses.get(i)::run)
          .as("misuse " + i)
          .isInstanceOf(TorchException.class)
          .message()
          .doesNotContain("\n");
      assertThat(grad(x)).containsExactly(1, 1);
    }
    x.clearGrad();
    sum(y).backward();
    assertThat(grad(x)).containsExactly(2, 4);
  }

  @Test
  void whatWasOverwrittenInBetweenIsNoticed() {
    Tensor x = leaf(1, 2);
    Tensor y = Pointwise.exp(x);
    Tensor z = sum(Pointwise.square(y));
    Pointwise.mulInPlace(y, Torch.full(2, DType.FLOAT64, 2));
    assertThatThrownBy(z::backward).isInstanceOf(TorchException.class);
  }

  @Test
  void aClosedTensorHasNoGradient() {
    Tensor x = leaf(1);
    x.close();
    assertThatThrownBy(x::grad).isInstanceOf(TorchException.class);
    assertThatThrownBy(x::clearGrad).isInstanceOf(TorchException.class);
    assertThatThrownBy(x::requiresGrad).isInstanceOf(TorchException.class);
    assertThatThrownBy(x::backward).isInstanceOf(TorchException.class);
  }

  @Test
  void aGraphLivesOnItsOwnOnceItsTensorsAreClosed() {
    Tensor x = leaf(2);
    Tensor loss;
    try (var inner = TensorScope.open()) {
      loss = inner.keep(sum(Pointwise.exp(Pointwise.square(x))));
    }
    loss.backward();
    assertThat(grad(x)[0]).isEqualTo(Math.exp(4) * 4);
  }

  @Test
  void stepsLeaveNoMemoryBehind() {
    long before = 0;
    for (int step = 0; step < 200; step++) {
      if (step == 50) {
        before = NativeHeap.bytesInUse();
      }
      try (var _ = TensorScope.open()) {
        Tensor x = Torch.ones(DType.FLOAT32, 1 << 18).requiresGrad(true);
        Tensor y = Pointwise.square(x);
        sum(y).backward();
        assertThat(Objects.requireNonNull(x.grad()).numel()).isEqualTo(1 << 18);
        x.setGrad(Torch.zerosLike(x));
        x.clearGrad();
        Autograd.grad(List.of(sum(Pointwise.exp(x))), List.of(x));
        assertThatThrownBy(() -> Pointwise.square(x).backward()).isInstanceOf(TorchException.class);
      }
    }
    // One tensor of 1 MiB left behind at each of 150 steps would show.
    assertThat(NativeHeap.bytesInUse() - before).isLessThan(64L << 20);
  }

  @Test
  void theNormOfZerosHasTheGradientZero() {
    for (double p : new double[] {0.5, 1.5, 3}) {
      try (TensorScope _ = TensorScope.open()) {
        Tensor x = Torch.tensor(new float[] {0, 0, 1, 0}, 2, 2).requiresGrad(true);
        Tensor norms = Norms.norm(x, p, Reduction.KeepDim.NO, 1);
        assertThat(norms.toFloats()).containsExactly(0, 1);
        Reduction.sum(norms).backward();
        assertThat(Objects.requireNonNull(x.grad()).toFloats()).containsExactly(0, 0, 1, 0);
      }
    }
  }

  @Test
  void aGradientIsReadWhileAnotherThreadReplacesIt() throws InterruptedException {
    try (Tensor leaf = Torch.ones(DType.FLOAT32, 4).requiresGrad(true).release()) {
      AtomicBoolean done = new AtomicBoolean();
      AtomicInteger wrong = new AtomicInteger();
      Thread reader =
          Thread.ofPlatform()
              .start(() -> {
                while (!done.get()) {
                  try (Tensor grad = leaf.grad()) {
                    if (grad != null && grad.numel() != 4) {
                      wrong.incrementAndGet();
                    }
                  }
                }
              });
      for (int i = 0; i < 20_000; i++) {
        try (Tensor grad = Torch.empty(DType.FLOAT32, Device.CPU, 4)) {
          leaf.setGrad(grad);
        }
        leaf.clearGrad();
      }
      done.set(true);
      reader.join();
      assertThat(wrong).hasValue(0);
    }
  }

  @Test
  void severalThreadsGoBackAtOnce() throws InterruptedException {
    Tensor shared = leaf(1, 2).release();
    Thread[] threads = new Thread[3];
    for (int i = 0; i < threads.length; i++) {
      threads[i] =
          Thread.ofPlatform()
              .start(() -> {
                for (int k = 0; k < 50; k++) {
                  try (var _ = TensorScope.open()) {
                    Tensor own = leaf(k, 1);
                    sum(own.mul(own)).backward();
                    assertThat(grad(own)).containsExactly(2 * k, 2);
                    sum(shared).backward();
                  }
                }
              });
    }
    for (Thread t : threads) {
      t.join();
    }
    assertThat(grad(shared)).containsExactly(150, 150);
    shared.close();
  }

  /** A long row, so that a product which is rounded before it is added shows somewhere. */
  @Test
  void addcmulHasTheSameBitsWhetherAGradientIsRecordedOrNot() {
    try (Generator generator = Generator.seeded(3)) {
      Tensor a = generator.randn(DType.FLOAT32, 4, 1, 1).requiresGrad(true);
      Tensor b = generator.randn(DType.FLOAT32, 4, 32, 33).requiresGrad(true);
      Tensor c = generator.randn(DType.FLOAT32, 4, 1, 1).requiresGrad(true);
      Tensor y = Pointwise.addcmul(a, b, c);
      Tensor plain = Pointwise.addcmul(a.detach(), b.detach(), c.detach());
      assertThat(plain.requiresGrad()).isFalse();
      assertThat(y.toFloats()).isEqualTo(plain.toFloats());
      sum(y).backward();
      assertThat(grad(a)).containsOnly(32 * 33);
      assertThat(grad(b)[33 * 32]).isEqualTo(c.toDoubles()[1]);
    }
  }

  @Test
  void aResultKeepsItsDerivativeWhenItsElementsAreReplaced() {
    Tensor x = leaf(1, 2, 3);
    Tensor y = Autograd.withValue(x.mul(5), Torch.tensor(new double[] {7, 8, 9}, 3));
    assertThat(y.toDoubles()).containsExactly(7, 8, 9);
    sum(Pointwise.square(y)).backward();
    // 2 y, of the elements that it has now, times 5.
    assertThat(grad(x)).containsExactly(70, 80, 90);
  }

  @Test
  void aResultThatItsOperatorGoesBackThroughCannotBeReplaced() {
    Tensor x = leaf(1, 2);
    Tensor y = Autograd.withValue(Pointwise.exp(x), Torch.tensor(new double[] {7, 8}, 2));
    Tensor total = sum(y);
    assertThatThrownBy(total::backward).isInstanceOf(TorchException.class);
  }

  @Test
  void anInputThatIsThereTwiceKeepsItsGradient() {
    Tensor x = Torch.full(3, DType.FLOAT64, 1).requiresGrad(true);
    x.setGrad(Torch.full(7, DType.FLOAT64, 1));
    // The same tensor by another handle.
    Tensor again = x.to(DType.FLOAT64);
    List<Tensor> gradients = Autograd.grad(List.of(x.mul(x)), List.of(x, again, x));
    assertThat(gradients).allSatisfy(g -> assertThat(g.item()).isEqualTo(6));
    assertThat(Objects.requireNonNull(x.grad()).item()).isEqualTo(7);
  }
}
