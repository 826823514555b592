// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.io.LeasedArena;

/** A tensor ends once, where its owner says, and whoever still uses it is told so. */
class LifetimeTest {
  @Test
  void aClosedTensorThrowsInEveryPlaceOfAnOperator() {
    Tensor closed = Torch.scalar(1.0);
    closed.close();
    try (Tensor open = Torch.ones(DType.FLOAT32, 1, 1, 2, 2)) {
      List<Runnable> calls =
          List.of(
              () -> Pointwise.mul(open, closed),
              () -> Pointwise.mul(closed, open),
              () -> Pointwise.add(open, closed),
              () -> Shapes.cat(List.of(open, closed), 0),
              () -> Pointwise.clamp(open, null, closed),
              () -> Functional.conv2d(open, open, closed, 1, 0, 1),
              () -> open.copyFrom(closed),
              () -> Pointwise.addInPlace(open, closed),
              closed::dtype,
              closed::strides,
              closed::memory);
      assertThat(calls)
          .allSatisfy(call ->
              assertThatThrownBy(call::run)
                  .isInstanceOf(TorchException.class)
                  .hasMessageContaining("closed"));
      assertThat(open.toFloats()).containsOnly(1);
    }
  }

  /** Half a gibibyte would stay if the handle of the first operand were left on the stack. */
  @Test
  void aCallThatIsNeverMadeHoldsNoOperand() {
    Tensor closed = Torch.scalar(1.0);
    closed.close();
    long before = NativeHeap.bytesInUse();
    // The measure sees tensors. The compilers of the virtual machine allocate there too, but less.
    try (Tensor _ = Torch.empty(DType.FLOAT32, Device.CPU, 64 << 20)) {
      assertThat(NativeHeap.bytesInUse() - before).isGreaterThan(128L << 20);
    }
    for (int i = 0; i < 32; i++) {
      try (Tensor big = Torch.ones(DType.FLOAT32, 4 << 20)) {
        assertThatThrownBy(() -> Shapes.cat(List.of(big, closed), 0))
            .hasMessage("aten::cat: tensors cannot be used: this tensor is closed");
        assertThatThrownBy(() -> Pointwise.mul(big, closed))
            .hasMessage("aten::mul.Tensor: other cannot be used: this tensor is closed");
      }
    }
    assertThat(NativeHeap.bytesInUse() - before).isLessThan(64L << 20);
  }

  @Test
  void anOperandMayBeComputedBetweenArguments() {
    Operator mul = Operator.of("aten::mul.Tensor(Tensor self, Tensor other) -> Tensor");
    try (TensorScope _ = TensorScope.open()) {
      Tensor two = Torch.scalar(2.0);
      assertThat(mul.call().arg(two).arg(mul.apply(two, two)).tensor().item()).isEqualTo(8);
    }
  }

  @Test
  void memoryEndsWithItsTensor() {
    MemorySegment memory;
    try (Tensor t = Torch.ones(DType.FLOAT32, 4)) {
      memory = t.memory();
      memory.set(ValueLayout.JAVA_FLOAT, 0, 7);
      assertThat(t.toFloats()).containsExactly(7, 1, 1, 1);
    }
    assertThatThrownBy(() -> memory.get(ValueLayout.JAVA_FLOAT, 0))
        .isInstanceOf(IllegalStateException.class);
  }

  @Test
  void memoryEndsWhenAnAliasMovesTheElements() {
    Operator resize =
        Operator.of(
            "aten::resize_(Tensor(a!) self, SymInt[] size, *, MemoryFormat? memory_format=None) "
                + "-> Tensor(a!)");
    try (TensorScope _ = TensorScope.open();
        Tensor other = Torch.ones(DType.FLOAT32, 2)) {
      Tensor t = Torch.ones(DType.FLOAT32, 4);
      MemorySegment memory = t.memory();
      MemorySegment others = other.memory();
      Tensor alias = t.detach();
      Tensor none = t.narrow(0, 0, 0);
      resize.call().arg(alias).arg(1 << 20).tensor();
      assertThatThrownBy(() -> memory.get(ValueLayout.JAVA_FLOAT, 0))
          .isInstanceOf(IllegalStateException.class);
      MemorySegment again = t.memory();
      resize.call().arg(none).arg(1 << 22).tensor();
      assertThatThrownBy(() -> again.get(ValueLayout.JAVA_FLOAT, 0))
          .isInstanceOf(IllegalStateException.class);
      assertThat(others.get(ValueLayout.JAVA_FLOAT, 0)).isEqualTo(1);
    }
  }

  @Test
  void readOnlyMemoryIsNotWritten() {
    try (Arena arena = LeasedArena.open();
        TensorScope _ = TensorScope.open()) {
      MemorySegment memory = arena.allocateFrom(ValueLayout.JAVA_FLOAT, 1, 2).asReadOnly();
      Tensor t = Torch.fromData(TensorData.contiguous(DType.FLOAT32, new long[] {2}, memory));
      Tensor other = Torch.ones(DType.FLOAT32, 2);
      List<Runnable> writes =
          List.of(
              () -> Pointwise.mulInPlace(t, other),
              () -> Pointwise.addInPlace(t, other),
              () -> Pointwise.siluInPlace(t),
              () -> t.copyFrom(other));
      assertThat(writes)
          .allSatisfy(w -> assertThatThrownBy(w::run).hasMessageContaining("read-only"));
      assertThat(t.memory().isReadOnly()).isTrue();
      assertThat(Pointwise.mulInPlace(Shapes.copy(t), other).toFloats()).containsExactly(1, 2);
    }
  }

  @Test
  @SuppressWarnings("try") // Closed by hand, which is the point.
  void aScopeKeepsOnlyWhatItOwns() {
    try (Tensor mine = Torch.scalar(3.0);
        TensorScope outer = TensorScope.open()) {
      Tensor outers = Torch.scalar(4.0);
      try (TensorScope inner = TensorScope.open()) {
        inner.keep(mine);
        inner.keep(outers);
      }
      outer.close();
      assertThat(mine.item()).isEqualTo(3);
      assertThat(outers.isClosed()).isTrue();
    }
  }

  @Test
  void anotherThreadsScopeIsNotTouched() throws Exception {
    try (ExecutorService other = Executors.newSingleThreadExecutor();
        TensorScope _ = TensorScope.open()) {
      Tensor t = Torch.scalar(1.0);
      Future<?> use = other.submit(() -> t.mul(2));
      assertThatThrownBy(use::get)
          .isInstanceOf(ExecutionException.class)
          .hasMessageContaining("belongs to a scope of thread");
      Future<?> close = other.submit(t::close);
      assertThatThrownBy(close::get).hasMessageContaining("belongs to a scope of thread");
      Future<String> text = other.submit(t::toString);
      assertThat(text.get()).contains("belongs to a scope of thread");
      assertThat(t.item()).isEqualTo(1);
    }
  }

  @Test
  void closingWhileAnotherThreadComputesNeverCrashes() throws Exception {
    try (ExecutorService other = Executors.newSingleThreadExecutor()) {
      for (int i = 0; i < 200; i++) {
        Tensor shared = Torch.ones(DType.FLOAT32, 1 << 14);
        CompletableFuture<Void> started = new CompletableFuture<>();
        Future<?> work =
            other.submit(() -> {
              started.complete(null);
              while (true) {
                try (Tensor sum = shared.add(shared);
                    Tensor product = shared.mul(sum)) {
                  assertThat(product.size(0)).isEqualTo(1 << 14);
                }
              }
            });
        started.get();
        shared.close();
        assertThatThrownBy(work::get).hasMessageContaining("this tensor is closed");
      }
    }
  }

  @Test
  void gradModeIsRestoredOnceAndOnItsOwnThread() throws Exception {
    GradMode outer = GradMode.noGrad();
    try (ExecutorService other = Executors.newSingleThreadExecutor()) {
      assertThat(other.submit(GradMode::isEnabled).get()).isTrue();
      assertThatThrownBy(other.submit(outer::close)::get).hasMessageContaining("belongs to thread");
    }
    outer.close();
    GradMode inner = GradMode.noGrad();
    outer.close();
    assertThat(GradMode.isEnabled()).isFalse();
    inner.close();
    assertThat(GradMode.isEnabled()).isTrue();
  }

  @Test
  @SuppressWarnings("try") // Closed by hand, which is the point.
  void gradModesClosedOutOfOrderLeaveWhatWasBeforeThem() {
    GradMode outer = GradMode.noGrad();
    GradMode inner = GradMode.enableGrad();
    outer.close();
    assertThat(GradMode.isEnabled()).isTrue();
    inner.close();
    assertThat(GradMode.isEnabled()).isTrue();
    try (GradMode _ = GradMode.noGrad()) {
      assertThat(GradMode.isEnabled()).isFalse();
    }
    assertThat(GradMode.isEnabled()).isTrue();
  }

  @Test
  void addInPlaceTakesEveryRankAndType() {
    try (TensorScope _ = TensorScope.open()) {
      assertThat(Pointwise.addInPlace(Torch.scalar(1.0), Torch.scalar(2.0)).item()).isEqualTo(3);
      Tensor a = Torch.ones(DType.BFLOAT16, 2, 3);
      assertThat(Pointwise.addInPlace(a, Torch.ones(DType.BFLOAT16, 3)).toFloats()).containsOnly(2);
      Tensor whole = Torch.tensor(new long[] {1, 2}, 2);
      assertThat(Pointwise.addInPlace(whole, whole).toLongs()).containsExactly(2, 4);
    }
  }

  @Test
  void aDeviceThatIsNotThereIsRefusedWithTheReason() {
    Device far = Device.cuda(99);
    assertThatThrownBy(() -> Torch.requireUsable(far))
        .isInstanceOf(OptionException.class)
        .hasMessageStartingWith("device cuda:99 cannot be used: ")
        .message()
        .doesNotContain("\n");
    assertThatThrownBy(() -> Torch.empty(DType.FLOAT32, far, 1))
        .isInstanceOf(OptionException.class);
    try (Tensor here = Torch.scalar(1.0)) {
      assertThatThrownBy(() -> here.to(far)).isInstanceOf(OptionException.class);
    }
    assertThatThrownBy(() -> Device.cuda(-1)).isInstanceOf(OptionException.class);
    assertThatThrownBy(() -> new Device(Device.Type.CPU, 1)).isInstanceOf(OptionException.class);
    Torch.requireUsable(Device.CPU);
  }

  @Test
  void denseMeansEveryElementOnceInAnyOrder() {
    long[] image = {2, 3, 4, 5};
    assertThat(Sizes.areDense(image, TensorData.contiguousStrides(image))).isTrue();
    assertThat(Sizes.areDense(image, new long[] {60, 1, 15, 3})).isTrue();
    assertThat(Sizes.areDense(image, new long[] {0, 20, 5, 1})).isFalse();
    assertThat(Sizes.areDense(new long[] {2, 3}, new long[] {4, 1})).isFalse();
    assertThat(Sizes.areDense(new long[] {1, 3}, new long[] {0, 1})).isTrue();
    assertThat(Arrays.stream(image).reduce(1, (a, b) -> a * b)).isEqualTo(Sizes.numel(image));
  }
}
