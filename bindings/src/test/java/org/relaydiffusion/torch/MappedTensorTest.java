// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.io.LeasedArena;
import org.relaydiffusion.io.MappedFile;

/** Tensors over a mapped file: whoever shares the memory can neither write it nor lose it. */
class MappedTensorTest {
  private static final long BYTES = 4096;

  @TempDir private Path folder;
  private MappedFile file;
  private TensorScope scope;

  @BeforeEach
  void open() throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate((int) BYTES).order(ByteOrder.nativeOrder());
    for (int i = 0; i < BYTES / 4; i++) {
      bytes.putFloat(i);
    }
    file = MappedFile.open(Files.write(folder.resolve("weights"), bytes.array()));
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
    file.close();
  }

  /** float32 [2, 3]: 16, 17, ... 21. */
  private Tensor mapped() {
    return Torch.fromData(
        TensorData.contiguous(DType.FLOAT32, new long[] {2, 3}, file.slice(64, 24, "weights")));
  }

  private static Arguments alias(String name, UnaryOperator<Tensor> alias) {
    return arguments(name, alias);
  }

  static Stream<Arguments> aliases() {
    return Stream.of(
        alias("itself", t -> t),
        alias("to its type", t -> t.to(DType.FLOAT32)),
        alias("to its device", t -> t.to(Device.CPU)),
        alias("reshape", t -> t.reshape(3, 2)),
        alias("narrow", t -> Shapes.narrow(t, 0, 1, 1)),
        alias("narrow's end", t -> Shapes.narrow(t.reshape(6), 0, 5, 1)),
        alias("slice", t -> Shapes.slice(t, 1, 0, 3, 2)),
        alias("detach", Tensor::detach),
        alias("contiguous", Tensor::contiguous),
        alias("select", t -> Shapes.select(t, 0, 1)),
        alias("chunk", t -> Shapes.chunk(t, 2, 0).getLast()),
        alias("unbind", t -> Shapes.unbind(t, 0).getLast()),
        alias("transpose", t -> Shapes.transpose(t, 0, 1)),
        alias("permute", t -> Shapes.permute(t, 1, 0)),
        alias("unsqueeze", t -> Shapes.unsqueeze(t, 0)),
        alias("expand", t -> Shapes.expand(Shapes.unsqueeze(t, 0), 2, 2, 3)),
        alias("several", t -> Shapes.select(t.detach().reshape(3, 2), 0, 2).to(DType.FLOAT32)));
  }

  private static final List<Consumer<Tensor>> WRITES =
      List.of(
          t -> t.copyFrom(Torch.scalar(1.0)),
          t -> Pointwise.mulInPlace(t, Torch.scalar(1.0)),
          t -> Pointwise.addInPlace(t, Torch.scalar(1.0)),
          Pointwise::siluInPlace,
          Pointwise::reluInPlace,
          t -> Pointwise.nanToNumInPlace(t, 0, 0, 0),
          t -> Foreach.mulInPlace(List.of(t), 2),
          t -> Foreach.copyInPlace(List.of(t), List.of(t)),
          t -> Foreach.lerpInPlace(List.of(t), List.of(t), 0.5),
          t -> Foreach.addcmulInPlace(List.of(t), List.of(t), List.of(t), 1),
          t -> Foreach.addcdivInPlace(List.of(t), List.of(t), List.of(t), 1),
          t -> Foreach.unscaleInPlace(List.of(t), 2),
          t -> Torch.zerosLike(t).setGrad(t),
          t -> Autograd.withValue(t, Torch.zerosLike(t)));

  @ParameterizedTest(name = "{0}")
  @MethodSource("aliases")
  void noAliasCanBeWritten(String name, UnaryOperator<Tensor> alias) {
    Tensor t = alias.apply(mapped());
    assertThat(WRITES)
        .as(name)
        .allSatisfy(write ->
            assertThatThrownBy(() -> write.accept(t))
                .isInstanceOf(TorchException.class)
                .hasMessageContaining("lies in read-only memory"));
    if (t.isContiguous()) {
      assertThat(t.memory().isReadOnly()).isTrue();
    }
    Pointwise.mulInPlace(Shapes.copy(t), Torch.scalar(2.0));
    assertThat(mapped().toFloats()).containsExactly(16, 17, 18, 19, 20, 21);
  }

  @Test
  void theMemoryAroundStaysWritable() {
    try (LeasedArena arena = LeasedArena.open()) {
      MemorySegment all = arena.allocate(96, 16);
      Tensor middle = over(all.asSlice(32, 32).asReadOnly(), 8);
      for (Tensor t : List.of(over(all.asSlice(0, 32), 8), over(all.asSlice(64, 32), 8))) {
        t.copyFrom(Torch.scalar(3.0));
      }
      assertThatThrownBy(() -> middle.copyFrom(Torch.scalar(3.0)))
          .hasMessageContaining("read-only");
      assertThat(middle.toFloats()).containsOnly(0);
      assertThat(all.get(ValueLayout.JAVA_FLOAT, 28)).isEqualTo(3);
      assertThat(all.get(ValueLayout.JAVA_FLOAT, 64)).isEqualTo(3);
    }
  }

  private static Tensor over(MemorySegment memory, long elements) {
    return Torch.fromData(TensorData.contiguous(DType.FLOAT32, new long[] {elements}, memory));
  }

  /** A pass gives it to the leaf as it is, and the next one adds to it in place. */
  @Test
  void aViewWithoutElementsIsNotResizedOverTheMap() {
    Operator mulOut =
        Operator.of("aten::mul.out(Tensor self, Tensor other, *, Tensor(a!) out) -> Tensor(a!)");
    Tensor empty = Shapes.narrow(mapped(), 0, 0, 0);
    Tensor x = Torch.ones(DType.FLOAT32, 2);
    assertThatThrownBy(() -> mulOut.call().arg(x).arg(x).arg(empty).tensor())
        .isInstanceOf(TorchException.class)
        .hasMessageContaining("out cannot be used")
        .hasMessageContaining("read-only memory");
    Tensor free = Torch.empty(DType.FLOAT32, Device.CPU, 0);
    mulOut.call().arg(x).arg(x).arg(free).tensor();
    assertThat(free.toFloats()).containsExactly(1, 1);
  }

  @Test
  void mappedStatisticsAreReadButNotUpdated() {
    Operator batchNorm =
        Operator.of(
            "aten::batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, "
                + "Tensor? running_var, bool training, float momentum, float eps, "
                + "bool cudnn_enabled) -> Tensor");
    Tensor mean = Shapes.select(mapped(), 0, 0);
    Tensor variance = Torch.ones(DType.FLOAT32, 3);
    Tensor x = Torch.ones(DType.FLOAT32, 4, 3);
    for (boolean training : new boolean[] {false, true}) {
      OperatorCall call =
          batchNorm
              .call()
              .arg(x)
              .none()
              .none()
              .arg(mean)
              .arg(variance)
              .arg(training)
              .arg(0.5)
              .arg(0.0)
              .arg(false);
      if (training) {
        assertThatThrownBy(call::tensor)
            .isInstanceOf(TorchException.class)
            .hasMessageContaining("running_mean cannot be used")
            .hasMessageContaining("read-only memory");
      } else {
        assertThat(call.tensor().toFloats()[0]).isEqualTo(-15);
      }
    }
    assertThat(mean.toFloats()).containsExactly(16, 17, 18);
  }

  @Test
  void aMapInUseByANativeCallDelaysItsEndAndNothingElse() throws Exception {
    MethodHandle nanosleep =
        Linker.nativeLinker()
            .downcallHandle(
                Linker.nativeLinker().defaultLookup().findOrThrow("nanosleep"),
                FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
    LeasedArena arena = LeasedArena.open();
    MemorySegment time = arena.allocate(16, 8);
    time.set(ValueLayout.JAVA_LONG, 0, 3);
    TensorScope inner = TensorScope.open();
    Torch.fromData(TensorData.contiguous(DType.INT64, new long[] {2}, time));
    Tensor other = Torch.ones(DType.FLOAT32, 1);
    CountDownLatch sleeping = new CountDownLatch(1);
    CompletableFuture<Object> slept =
        CompletableFuture.supplyAsync(() -> {
          sleeping.countDown();
          try {
            return (int) nanosleep.invokeExact(time, MemorySegment.NULL);
          } catch (Throwable e) {
            throw new AssertionError(e);
          }
        });
    sleeping.await();
    Thread.sleep(500);
    arena.close();
    inner.close();
    assertThat(other.isClosed()).isTrue();
    assertThat(TensorScope.current()).isSameAs(scope);
    assertThat(time.scope().isAlive()).isTrue();
    Torch.ones(DType.FLOAT32, 1).close();
    assertThat(slept.join()).isEqualTo(0);
    Torch.ones(DType.FLOAT32, 1).close();
    assertThat(time.scope().isAlive()).isFalse();
  }

  @Test
  void aMappedGradientIsNeverAddedTo() {
    Tensor leaf = Torch.ones(DType.FLOAT32, 6).requiresGrad(true);
    for (int pass = 0; pass < 2; pass++) {
      Autograd.backward(leaf.reshape(2, 3), mapped(), Autograd.Graph.FREE);
    }
    assertThat(Objects.requireNonNull(leaf.grad()).toFloats())
        .containsExactly(32, 34, 36, 38, 40, 42);
    Tensor gradient =
        Autograd.grad(
                List.of(leaf.reshape(2, 3)), List.of(leaf), List.of(mapped()), Autograd.Graph.FREE)
            .getFirst();
    Pointwise.mulInPlace(gradient, Torch.scalar(2.0));
    assertThat(mapped().toFloats()).containsExactly(16, 17, 18, 19, 20, 21);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("aliases")
  void aClosedFileStaysMappedUntilTheLastAliasIsClosed(String name, UnaryOperator<Tensor> alias) {
    MemorySegment memory = file.slice(0, BYTES, "all");
    Tensor t;
    try (TensorScope inner = TensorScope.open()) {
      t = inner.keep(alias.apply(mapped()));
    }
    file.close();
    assertThat(memory.scope().isAlive()).as(name).isTrue();
    assertThat(t.toFloats()).contains(21);
    t.close();
    assertThat(memory.scope().isAlive()).isFalse();
  }

  @Test
  void aClosedFileStaysMappedForAGraph() {
    MemorySegment memory = file.slice(0, BYTES, "all");
    Tensor leaf = Torch.ones(DType.FLOAT32, 2, 3).requiresGrad(true);
    Tensor sum;
    try (TensorScope inner = TensorScope.open()) {
      // The graph keeps the factor, which no Tensor stands for any more.
      Tensor product = Pointwise.mul(leaf, mapped());
      sum = inner.keep(Reduction.sum(product, Reduction.KeepDim.NO, 0, 1));
    }
    file.close();
    assertThat(memory.scope().isAlive()).isTrue();
    sum.backward();
    sum.close();
    assertThat(memory.scope().isAlive()).isFalse();
    assertThat(Objects.requireNonNull(leaf.grad()).toFloats())
        .containsExactly(16, 17, 18, 19, 20, 21);
  }

  @Test
  void aFileWithoutTensorsIsUnmappedAtOnceAndRefusesNewOnes() {
    TensorData data =
        TensorData.contiguous(DType.FLOAT32, new long[] {6}, file.slice(64, 24, "weights"));
    mapped().close();
    file.close();
    assertThat(data.memory().scope().isAlive()).isFalse();
    assertThatThrownBy(() -> Torch.fromData(data))
        .isInstanceOf(TorchException.class)
        .hasMessage("the memory of float32[6] is closed");
    assertThatThrownBy(() -> file.slice(0, 4, "weights"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("is closed");
  }

  @Test
  void aFileThatIsClosedButStillMappedRefusesNewTensors() {
    TensorData data =
        TensorData.contiguous(DType.FLOAT32, new long[] {6}, file.slice(64, 24, "weights"));
    Tensor t = mapped();
    file.close();
    file.close();
    assertThatThrownBy(() -> Torch.fromData(data)).hasMessage("the memory of float32[6] is closed");
    assertThat(t.toFloats()).contains(16);
  }

  @Test
  void memoryThatItsOwnerMayCloseIsRefused() {
    try (Arena confined = Arena.ofConfined();
        Arena shared = Arena.ofShared()) {
      for (Arena arena : List.of(confined, shared)) {
        assertThatThrownBy(() -> over(arena.allocate(24, 8), 6))
            .isInstanceOf(TorchException.class)
            .hasMessageContaining("an arena that may be closed while tensors lie in it")
            .hasMessageContaining("LeasedArena");
      }
    }
    try (Tensor t = Torch.ones(DType.FLOAT32, 6)) {
      MemorySegment memory = t.memory();
      assertThatThrownBy(() -> over(memory, 6)).isInstanceOf(TorchException.class);
    }
    assertThat(over(Arena.global().allocate(24, 8), 6).toFloats()).containsOnly(0);
    assertThat(over(MemorySegment.ofBuffer(ByteBuffer.allocateDirect(24)), 6).toFloats())
        .containsOnly(0);
    MemorySegment odd = Arena.ofAuto().allocate(32, 8).asSlice(2);
    assertThatThrownBy(() -> over(odd, 6)).hasMessageContaining("no multiple of its element's 4");
  }

  @Test
  void automaticMemoryIsKeptForAsLongAsAnAliasLives() throws InterruptedException {
    MemorySegment memory = Arena.ofAuto().allocate(24, 8);
    WeakReference<MemorySegment> kept = new WeakReference<>(memory);
    Tensor view;
    try (TensorScope inner = TensorScope.open()) {
      view = inner.keep(Shapes.narrow(over(memory, 6), 0, 5, 1));
    }
    memory = null;
    for (int i = 0; i < 5; i++) {
      System.gc();
      Thread.sleep(10);
    }
    assertThat(kept.get()).isNotNull();
    view.close();
    for (int i = 0; i < 500 && kept.get() != null; i++) {
      // A hold is looked for when as many tensors were freed as there are holds.
      Torch.scalar(1.0).close();
      System.gc();
      Thread.sleep(10);
    }
    assertThat(kept.get()).isNull();
  }

  @Test
  void manyViewsOfOneFileLeaveNoHoldBehind() {
    MemorySegment memory = file.slice(0, BYTES, "all");
    for (int i = 0; i < 3000; i++) {
      mapped().close();
    }
    file.close();
    assertThat(memory.scope().isAlive()).isFalse();
    assertThat(ReadOnlyMemory.isAny()).isFalse();
  }
}
