// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class TensorScopeTest {
  private static Tensor one() {
    return Torch.ones(DType.FLOAT32, 1);
  }

  private static @Nullable Throwable thrownOnAnotherThread(Runnable action) {
    AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
    Thread thread =
        Thread.ofPlatform()
            .name("other")
            .start(() -> {
              try {
                action.run();
              } catch (Throwable e) {
                thrown.set(e);
              }
            });
    try {
      thread.join();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    return thrown.get();
  }

  @Test
  void closingAScopeFreesWhatWasMadeInIt() {
    long before = Tensor.liveCount();
    Tensor t;
    try (TensorScope _ = TensorScope.open()) {
      t = one().add(1).mul(2);
      assertThat(Tensor.liveCount()).isGreaterThan(before);
    }
    assertThat(t.isClosed()).isTrue();
    assertThat(Tensor.liveCount()).isEqualTo(before);
  }

  @Test
  void useAfterCloseThrowsAndNeverReachesLibTorch() {
    try (Tensor other = one()) {
      Tensor t = one();
      t.close();
      t.close();
      assertThatThrownBy(() -> t.add(other))
          .isInstanceOf(TorchException.class)
          .hasMessage("this tensor is closed");
      assertThatThrownBy(() -> other.mul(t))
          .hasMessage("aten::mul.Tensor: other cannot be used: this tensor is closed");
      assertThatThrownBy(() -> Shapes.cat(List.of(other, t), 0))
          .hasMessage("aten::cat: tensors cannot be used: this tensor is closed");
      assertThatThrownBy(() -> Functional.groupNorm(other, 1, other, t, 0))
          .hasMessage("aten::group_norm: bias cannot be used: this tensor is closed");
      assertThatThrownBy(t::dtype).hasMessage("this tensor is closed");
      assertThatThrownBy(t::memory).hasMessage("this tensor is closed");
      assertThat(t).hasToString("closed tensor");
      try (Tensor after = other.mul(3)) {
        assertThat(after.item()).isEqualTo(3);
      }
    }
  }

  @Test
  void aTensorInAScopeIsRefusedOnAnotherThread() {
    try (TensorScope _ = TensorScope.open()) {
      Tensor t = one();
      assertThat(thrownOnAnotherThread(t::silu))
          .isInstanceOf(TorchException.class)
          .hasMessageContaining("belongs to a scope of thread")
          .hasMessageContaining("to use it on other");
      t.release();
      assertThat(thrownOnAnotherThread(() -> t.silu().close())).isNull();
      t.close();
    }
  }

  @Test
  void aScopeIsClosedOnlyByItsThreadAndInOrder() {
    TensorScope outer = TensorScope.open();
    assertThat(thrownOnAnotherThread(outer::close)).hasMessageContaining("not other");
    TensorScope inner = TensorScope.open();
    try (Tensor t = one()) {
      assertThatThrownBy(() -> outer.keep(t)).hasMessageContaining("inside this one is still open");
    }
    inner.close();
    inner.close();
    outer.close();
    try (Tensor t = one()) {
      assertThatThrownBy(() -> inner.keep(t)).hasMessage("this tensor scope is closed");
    }
  }

  @Test
  void aScopeThatWasLeftOpenIsClosedWithTheOneAroundItAndReported() {
    long before = Tensor.liveCount();
    TensorScope outer = TensorScope.open();
    Tensor outers = one();
    TensorScope inner = TensorScope.open();
    Tensor inners = one();
    TensorScope.open();
    Tensor innermosts = one();
    assertThatThrownBy(outer::close)
        .isInstanceOf(TorchException.class)
        .hasMessage("a tensor scope inside this one was left open; it is closed now")
        .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));
    assertThat(List.of(outers, inners, innermosts)).allMatch(Tensor::isClosed);
    inner.close();
    outer.close();
    assertThat(TensorScope.current()).isNull();
    assertThat(Tensor.liveCount()).isEqualTo(before);
  }

  @Test
  void whatCannotBeClosedIsReportedAndStaysOpen() throws Exception {
    MethodHandle nanosleep =
        Linker.nativeLinker()
            .downcallHandle(
                Linker.nativeLinker().defaultLookup().findOrThrow("nanosleep"),
                FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
    // Three seconds and no nanoseconds, during which the call holds the memory. That of a tensor in
    // a scope is for its thread alone.
    Tensor busy = Torch.tensor(new long[] {3, 0}, 2).release();
    MemorySegment memory = busy.memory();
    CountDownLatch sleeping = new CountDownLatch(1);
    CompletableFuture<Object> slept =
        CompletableFuture.supplyAsync(() -> {
          sleeping.countDown();
          try {
            return (int) nanosleep.invokeExact(memory, MemorySegment.NULL);
          } catch (Throwable e) {
            throw new AssertionError(e);
          }
        });
    sleeping.await();
    Thread.sleep(500);
    assertThatThrownBy(busy::close)
        .isInstanceOf(TorchException.class)
        .hasMessageStartingWith("this tensor's memory is in use, so it cannot be closed: ");
    assertThat(slept.join()).isEqualTo(0);
    assertThat(busy.toLongs()).containsExactly(3, 0);
    busy.close();
  }

  /** What qsort calls while it holds the memory that it sorts. */
  private static final class ClosingComparator {
    private final TensorScope scope;
    private @Nullable RuntimeException thrown;

    ClosingComparator(TensorScope scope) {
      this.scope = scope;
    }

    @SuppressWarnings("unused") // called from C
    int compare(MemorySegment a, MemorySegment b) {
      try {
        scope.close();
      } catch (RuntimeException e) {
        thrown = e;
      }
      return 0;
    }
  }

  @Test
  void aScopeThatCannotCloseATensorClosesAllElse() throws Throwable {
    Linker linker = Linker.nativeLinker();
    MethodHandle qsort =
        linker.downcallHandle(
            linker.defaultLookup().findOrThrow("qsort"),
            FunctionDescriptor.ofVoid(
                ValueLayout.ADDRESS,
                ValueLayout.JAVA_LONG,
                ValueLayout.JAVA_LONG,
                ValueLayout.ADDRESS));
    long before = Tensor.liveCount();
    TensorScope scope = TensorScope.open();
    Tensor first = one();
    Tensor busy = Torch.tensor(new long[] {3, 0}, 2);
    Tensor last = one();
    ClosingComparator comparator = new ClosingComparator(scope);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment compare =
          linker.upcallStub(
              MethodHandles.lookup()
                  .bind(
                      comparator,
                      "compare",
                      MethodType.methodType(int.class, MemorySegment.class, MemorySegment.class)),
              FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS),
              arena);
      qsort.invokeExact(busy.memory(), 2L, 8L, compare);
    }
    assertThat(comparator.thrown)
        .isInstanceOf(TorchException.class)
        .hasMessageStartingWith("this tensor's memory is in use, so it cannot be closed: ");
    assertThat(first.isClosed()).isTrue();
    assertThat(last.isClosed()).isTrue();
    assertThat(TensorScope.current()).isNull();
    assertThat(busy.toLongs()).containsExactly(3, 0);
    busy.close();
    one().close();
    assertThat(Tensor.liveCount()).isEqualTo(before);
  }

  @Test
  void memoryOfAScopesTensorIsForItsThread() {
    try (TensorScope _ = TensorScope.open()) {
      MemorySegment memory = Torch.tensor(new long[] {3, 0}, 2).memory();
      assertThat(memory.get(ValueLayout.JAVA_LONG, 0)).isEqualTo(3);
      assertThatThrownBy(
              CompletableFuture.runAsync(() -> memory.get(ValueLayout.JAVA_LONG, 0))::join)
          .hasCauseInstanceOf(WrongThreadException.class);
    }
  }

  @Test
  void virtualThreadsAreRefusedInOneLine() throws InterruptedException {
    List<Throwable> thrown = new ArrayList<>();
    Thread.ofVirtual()
        .start(() -> {
          for (Runnable open :
              List.<Runnable>of(TensorScope::open, GradMode::noGrad, GradMode::enableGrad)) {
            try {
              open.run();
            } catch (TorchException e) {
              thrown.add(e);
            }
          }
        })
        .join();
    assertThat(thrown)
        .extracting(Throwable::getMessage)
        .containsExactly(
            "a tensor scope cannot be opened on a virtual thread: use a platform thread",
            "a grad mode cannot be opened on a virtual thread: use a platform thread",
            "a grad mode cannot be opened on a virtual thread: use a platform thread");
  }

  @Test
  void keepHandsATensorToTheScopeOutside() {
    try (TensorScope _ = TensorScope.open()) {
      Tensor kept;
      Tensor lost;
      try (TensorScope inner = TensorScope.open()) {
        lost = one();
        kept = inner.keep(one().add(1));
      }
      assertThat(lost.isClosed()).isTrue();
      assertThat(kept.item()).isEqualTo(2);
      try (TensorScope _ = TensorScope.open()) {
        kept.mul(2);
      }
      assertThat(kept.isClosed()).isFalse();
    }
  }

  @Test
  void keepOutOfTheOutermostScopeMakesTheCallerTheOwner() {
    Tensor t;
    try (TensorScope scope = TensorScope.open()) {
      t = scope.keep(one());
    }
    try (t) {
      assertThat(t.item()).isEqualTo(1);
    }
  }

  @Test
  void anExceptionLeavesNothingOpen() {
    long before = Tensor.liveCount();
    assertThatThrownBy(
            () -> {
              try (TensorScope _ = TensorScope.open()) {
                Tensor a = Torch.ones(DType.FLOAT32, 2, 3);
                try (TensorScope inner = TensorScope.open()) {
                  inner.keep(LinearAlgebra.matmul(a, a));
                }
              }
            })
        .isInstanceOf(TorchException.class);
    assertThat(Tensor.liveCount()).isEqualTo(before);
    assertThat(TensorScope.current()).isNull();
  }

  @Test
  void aScopeForgetsWhatIsClosedEarly() {
    try (TensorScope _ = TensorScope.open()) {
      long before = Tensor.liveCount();
      for (int i = 0; i < 2000; i++) {
        one().close();
      }
      assertThat(Tensor.liveCount()).isEqualTo(before);
    }
  }

  @Test
  void threadsHaveScopesOfTheirOwn() {
    long before = Tensor.liveCount();
    try (TensorScope _ = TensorScope.open()) {
      List<Tensor> others = new ArrayList<>();
      assertThat(
              thrownOnAnotherThread(() -> {
                try (TensorScope scope = TensorScope.open()) {
                  one();
                  others.add(scope.keep(one()));
                }
              }))
          .isNull();
      assertThat(Tensor.liveCount()).isEqualTo(before + 1);
      others.forEach(Tensor::close);
    }
  }

  @Test
  void aLostTensorIsFreedAndCounted() throws InterruptedException {
    long lost = Tensor.lostCount();
    long live = Tensor.liveCount();
    assertThat(one().isClosed()).isFalse();
    for (int i = 0; i < 500 && Tensor.lostCount() == lost; i++) {
      System.gc();
      Thread.sleep(10);
    }
    assertThat(Tensor.lostCount()).isEqualTo(lost + 1);
    while (Tensor.liveCount() != live) {
      Thread.sleep(1); // Counted first, freed next.
    }
  }

  @Test
  void aClosedTensorIsNeverCountedAsLost() throws InterruptedException {
    long lost = Tensor.lostCount();
    for (int i = 0; i < 100; i++) {
      one().close();
    }
    System.gc();
    Thread.sleep(50);
    assertThat(Tensor.lostCount()).isEqualTo(lost);
  }
}
