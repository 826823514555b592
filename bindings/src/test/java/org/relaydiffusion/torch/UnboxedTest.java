// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.function.BinaryOperator;
import java.util.function.DoubleFunction;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.torch.cpp.BoxedCall;
import org.relaydiffusion.torch.ffi.TensorAbi;

/** What does not go through the dispatcher gives the bits of what does, or is left to it. */
class UnboxedTest {
  private static final Operator MUL =
      Operator.of("aten::mul.Tensor(Tensor self, Tensor other) -> Tensor");
  private static final Operator DIV =
      Operator.of("aten::div.Tensor(Tensor self, Tensor other) -> Tensor");
  private static final Operator NEG_VIEW =
      Operator.of("aten::_neg_view(Tensor(a) self) -> Tensor(a)");
  private static final Operator RESIZE =
      Operator.of(
          "aten::resize_(Tensor(a!) self, SymInt[] size, *, MemoryFormat? memory_format=None) "
              + "-> Tensor(a!)");
  private static final Operator TO_DENSE =
      Operator.of(
          "aten::to_dense(Tensor self, ScalarType? dtype=None, *, bool? masked_grad=None) "
              + "-> Tensor");

  private static final double[] NUMBERS = {
    0,
    -0.0,
    1,
    -1,
    0.1,
    1.0 / 3,
    255,
    1e-8,
    1e-40,
    1e-46,
    65504,
    65520,
    3e38,
    3.5e38,
    1e300,
    -1e300,
    Double.MIN_VALUE,
    Double.POSITIVE_INFINITY,
    Double.NEGATIVE_INFINITY,
    Double.NaN,
    Math.PI,
    1 + 0x1p-24,
    1 + 0x1p-25 + 0x1p-50,
    1 + 0x3p-9,
    1 + 0x1p-8 + 0x1p-40
  };

  private final Random random = new Random(20260105);
  private TensorScope scope;

  @BeforeEach
  void open() {
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  @Test
  void aNumberBesideIntegersGivesPyTorchsDefaultType() {
    try (TensorScope _ = TensorScope.open()) {
      Tensor whole = Torch.tensor(new int[] {1, 2}, 2);
      for (Tensor x : List.of(whole, whole.to(DType.BOOL), Torch.scalar(1L))) {
        for (Tensor y : List.of(x.mul(0.5), x.add(0.5), x.div(2), Pointwise.clamp(x, 0.5, 0.5))) {
          assertThat(y.dtype()).isEqualTo(DType.FLOAT32);
        }
      }
      // torch.tensor([1, 2], dtype=torch.int32) * 0.1
      assertThat(whole.mul(0.1).toFloats()).containsExactly(0.1f, 0.2f);
    }
  }

  @Test
  void operatorsOfTensorsHaveTheDispatchersBits() {
    int refused = 0;
    for (DType x : DType.values()) {
      for (DType y : DType.values()) {
        try (TensorScope _ = TensorScope.open()) {
          List<Tensor> first = operands(x);
          List<Tensor> second = operands(y);
          for (int i = 0; i < 16; i++) {
            Tensor a = first.get(random.nextInt(first.size()));
            Tensor b = second.get(random.nextInt(second.size()));
            refused += holds("mul", Pointwise::mul, a, b);
            refused += holds("add", Pointwise::add, a, b);
            refused += holds("sub", Pointwise::sub, a, b);
          }
        }
      }
    }
    // Truth values are not subtracted, and [5] is not broadcast with [4, 3].
    assertThat(refused).isPositive();
  }

  @Test
  void sumsInPlaceHaveTheDispatchersBits() {
    int done = 0;
    for (DType x : DType.values()) {
      for (DType y : DType.values()) {
        try (TensorScope _ = TensorScope.open()) {
          List<Tensor> first = operands(x);
          List<Tensor> second = operands(y);
          for (int i = 0; i < 10; i++) {
            Tensor a = first.get(random.nextInt(first.size()));
            Tensor b = second.get(random.nextInt(second.size()));
            done += holdsInPlace(a, Shapes.copy(a), b);
          }
        }
      }
    }
    assertThat(done).isBetween(100, 900);
    Tensor row = filled(DType.FLOAT32, 9);
    Tensor left = Shapes.narrow(row, 0, 0, 8);
    Tensor right = Shapes.narrow(row, 0, 1, 8);
    assertThatThrownBy(() -> Pointwise.addInPlace(left, right)).isInstanceOf(TorchException.class);
    Tensor repeated = Shapes.expand(filled(DType.FLOAT32, 1), 8);
    assertThatThrownBy(() -> Pointwise.addInPlace(repeated, left))
        .isInstanceOf(TorchException.class);
    // Recording is as it was, and the variable keeps nothing.
    assertThat(GradMode.isEnabled()).isTrue();
    assertThat(Pointwise.addInPlace(row, row).requiresGrad()).isFalse();
  }

  /** 1 where both added. */
  private static int holdsInPlace(Tensor a, Tensor copy, Tensor b) {
    String what = a.describe() + " += " + b.describe();
    double[] before = a.toDoubles();
    Optional<Tensor> theirs = dispatched("add_", copy, b);
    if (theirs.isEmpty()) {
      assertThatThrownBy(() -> Pointwise.addInPlace(a, b)).isInstanceOf(TorchException.class);
      assertThat(a.toDoubles()).as(what).isEqualTo(before);
      return 0;
    }
    assertThat(Pointwise.addInPlace(a, b)).as(what).isSameAs(a);
    same(what, a, theirs.get());
    return 1;
  }

  @Test
  void operatorsOfNumbersHaveTheBitsOfThoseWithATensorOfTheNumber() {
    List<Double> numbers = new ArrayList<>();
    Arrays.stream(NUMBERS).forEach(numbers::add);
    for (int i = 0; i < 300; i++) {
      numbers.add(Double.longBitsToDouble(random.nextLong()));
      numbers.add((random.nextDouble() - 0.5) * Math.scalb(1.0, random.nextInt(40) - 20));
    }
    for (DType type : DType.values()) {
      Tensor a = filled(type, 3, 7);
      for (double number : numbers) {
        try (TensorScope _ = TensorScope.open()) {

          Tensor own =
              type.isFloatingPoint() ? Torch.scalar(number) : Torch.full(number, DType.FLOAT32);
          same(type + " * " + number, a.mul(number), MUL.apply(a, own));
          same(type + " / " + number, a.div(number), DIV.apply(a, own));
          same(type + " + " + number, a.add(number), dispatched("add", a, own).orElseThrow());
        }
      }
    }
  }

  @Test
  void numbersBesideATensorWithoutAxesTakeItsType() {
    for (DType type : List.of(DType.FLOAT16, DType.BFLOAT16, DType.FLOAT32, DType.FLOAT64)) {
      Tensor a = Torch.full(1.7, type);
      for (double number : new double[] {0.1, 3, -1e-3, Math.PI}) {
        Tensor own = Torch.full(number, type);
        for (BinaryOperator<Tensor> op :
            List.<BinaryOperator<Tensor>>of(Pointwise::mul, Pointwise::div, Pointwise::add)) {
          Tensor expected = op.apply(a, own);
          assertThat(expected.dtype()).isEqualTo(type);
        }
        same(type + " * " + number, a.mul(number), MUL.apply(a, own));
        same(type + " / " + number, a.div(number), DIV.apply(a, own));
        same(type + " + " + number, a.add(number), a.add(own));
      }
    }
  }

  @Test
  void whereAGradientIsRecordedNothingChangesUnderIt() {
    Tensor a = filled(DType.FLOAT32, 5).requiresGrad(true);
    Tensor b = filled(DType.FLOAT32, 5);
    List<DoubleFunction<Tensor>> operators = List.of(a::mul, a::div, a::add);
    float[] factors = {0.3f, (float) (1 / 0.3), 1};
    for (int i = 0; i < factors.length; i++) {
      DoubleFunction<Tensor> operator = operators.get(i);
      Tensor recorded = operator.apply(0.3);
      assertThat(recorded.requiresGrad()).isTrue();
      Tensor bits = recorded.detach();
      try (GradMode _ = GradMode.noGrad()) {
        same("recorded", operator.apply(0.3), bits);
      }
      // The number of the call before is still that of its graph.
      b.mul(77.0);
      b.div(78.0);
      a.clearGrad();
      Reduction.sum(recorded, Reduction.KeepDim.NO, 0).backward();
      Tensor grad = Objects.requireNonNull(a.grad());
      assertThat(grad.toFloats()).containsOnly(factors[i]);
    }
    Tensor truth = Comparison.eq(b, b);
    same("and truth", a.add(truth).detach(), a.detach().add(truth));
    assertThat(b.mul(a).requiresGrad()).isTrue();
    assertThat(a.add(b).requiresGrad()).isTrue();
    assertThat(b.add(b).requiresGrad()).isFalse();
    assertThat(a.reshape(1, 5).requiresGrad()).isTrue();
    assertThat(Shapes.narrow(a, 0, 1, 2).requiresGrad()).isTrue();
  }

  @Test
  void tensorsThatAreNotDenseAreLeftToTheDispatcher() {
    Tensor a = filled(DType.FLOAT32, 4, 3);
    Tensor twice = a.mul(2.0);
    Tensor opaque =
        Operator.of("aten::to_mkldnn(Tensor self, ScalarType? dtype=None) -> Tensor").apply(a);
    assertThat(opaque.isDenseOnCpu()).isFalse();
    same("oneDNN's", TO_DENSE.apply(opaque.mul(opaque)), a.mul(a));
    Tensor sparse = Operator.named("aten::_to_sparse").call().arg(a).tensor();
    assertThat(sparse.isDenseOnCpu()).isFalse();
    same("sparse", TO_DENSE.apply(sparse.add(sparse)), twice);
    Tensor zeros =
        Operator.named("aten::_efficientzerotensor")
            .call()
            .arg(4, 3)
            .at("dtype")
            .arg(DType.FLOAT32)
            .tensor();
    assertThat(zeros.isDenseOnCpu()).isFalse();
    same("zeros", a.add(zeros), a);
    Tensor negative = NEG_VIEW.apply(a);
    same("negative", negative.mul(a), MUL.apply(negative, a));
    assertThat(negative.add(a).toFloats()).containsOnly(0);
    Tensor empty = Torch.zeros(DType.FLOAT32, 0, 3);
    assertThat(empty.isDenseOnCpu()).isTrue();
    assertThat(empty.mul(empty).shape()).containsExactly(0, 3);
  }

  @Test
  void reshapingHasTheDispatchersResults() {
    Tensor a = filled(DType.FLOAT32, 4, 6);
    Operator reshape = Operator.of("aten::reshape(Tensor(a) self, SymInt[] shape) -> Tensor(a)");
    for (Tensor x : List.of(a, Shapes.transpose(a, 0, 1), Shapes.narrow(a, 1, 1, 3))) {
      for (long[] sizes : new long[][] {{-1}, {2, -1}, {3, 2, -1}, {1, 1, -1, 1}}) {
        Tensor ours = x.reshape(sizes);
        Tensor theirs = reshape.call().arg(x).arg(sizes).tensor();
        same("reshape", ours, theirs);
        assertThat(ours.strides()).isEqualTo(theirs.strides());
        assertThat(ours.borrowedMemory().address() == x.borrowedMemory().address())
            .isEqualTo(theirs.borrowedMemory().address() == x.borrowedMemory().address());
      }
    }
    Operator narrow =
        Operator.of(
            "aten::narrow(Tensor(a) self, int dim, SymInt start, SymInt length) -> Tensor(a)");
    for (Tensor x : List.of(a, Shapes.transpose(a, 0, 1))) {
      for (int[] part : new int[][] {{0, 1, 2}, {-1, 0, 3}, {1, -2, 2}, {0, 2, 0}}) {
        Tensor ours = Shapes.narrow(x, part[0], part[1], part[2]);
        Tensor theirs = narrow.call().arg(x).arg(part[0]).arg(part[1]).arg(part[2]).tensor();
        same("narrow", ours, theirs);
        assertThat(ours.strides()).isEqualTo(theirs.strides());
        assertThat(ours.borrowedMemory().address()).isEqualTo(theirs.borrowedMemory().address());
      }
    }
    assertThatThrownBy(() -> Shapes.narrow(a, 0, 3, 2)).hasMessageContaining("aten::narrow");
    assertThatThrownBy(() -> a.reshape(5, 5)).hasMessageContaining("aten::reshape");
    assertThatThrownBy(() -> a.reshape(-1, -1)).hasMessageContaining("aten::reshape");
  }

  @Test
  void conversionToWhatATensorIsSharesIt() {
    Tensor a = filled(DType.FLOAT32, 4);
    for (UnaryOperator<Tensor> same :
        List.<UnaryOperator<Tensor>>of(
            t -> t.to(DType.FLOAT32), t -> t.to(Device.CPU), Tensor::contiguous)) {
      Tensor alias = same.apply(a);
      assertThat(alias).isNotSameAs(a);
      assertThat(alias.borrowedMemory().address()).isEqualTo(a.borrowedMemory().address());
      alias.close();
      assertThat(a.isClosed()).isFalse();
    }
  }

  @Test
  void theElementOfEveryType() {
    for (DType type : DType.values()) {
      Tensor one = filled(type, 1);
      assertThat(one.item()).isEqualTo(one.toDoubles()[0]);
    }
    assertThat(NEG_VIEW.apply(Torch.scalar(2.5)).item()).isEqualTo(-2.5);
    assertThatThrownBy(() -> filled(DType.FLOAT32, 2).item())
        .hasMessage("item() needs a tensor of one element, not float32[2]");
  }

  @Test
  void whatAnOperatorChangesIsAskedAgain() {
    Tensor a = filled(DType.FLOAT32, 4, 4);
    Tensor alias = a.to(DType.FLOAT32);
    assertThat(a.numel()).isEqualTo(16);
    assertThat(alias.numel()).isEqualTo(16);
    RESIZE.call().arg(a).arg(new long[] {2}).tensor();
    assertThat(a.shape()).containsExactly(2);
    assertThat(a.memory().byteSize()).isEqualTo(8);
    assertThat(alias.memory().byteSize()).isEqualTo(8);
    assertThat(alias.toFloats()).hasSize(2);
  }

  @Test
  void memoryEndsWhereAnOperatorMayMoveIt() {
    Tensor a = filled(DType.FLOAT32, 4);
    MemorySegment lent = a.memory();
    RESIZE.call().arg(a).arg(new long[] {1 << 20}).tensor();
    assertThatThrownBy(() -> lent.get(ValueLayout.JAVA_FLOAT, 0))
        .isInstanceOf(IllegalStateException.class);
    assertThat(a.memory().byteSize()).isEqualTo(4L << 20);
    assertThatThrownBy(() -> Operator.of("aten::set_data(Tensor(a!) self, Tensor new_data) -> ()"))
        .isInstanceOf(TorchException.class)
        .hasMessageStartingWith("aten::set_data cannot be called");
  }

  @Test
  void aFractionIsNotAddedToIntegersInPlaceWhereItIsRecorded() {
    Tensor a = filled(DType.INT64, 2);
    Tensor b = Torch.ones(DType.FLOAT32, 2).requiresGrad(true);
    assertThatThrownBy(() -> Pointwise.addInPlace(a, b))
        .hasMessage("float32[2] cannot be added to int64[2] in place: the sum is float32");
  }

  @Test
  void tensorsOfTheLibraryAreNotCounted() {
    try (TensorScope inner = TensorScope.open()) {
      Tensor a = filled(DType.FLOAT32, 4);
      long live = Tensor.liveCount();
      Pointwise.addInPlace(a, a);
      a.mul(3.0).close();
      a.add(3.0).close();
      Pointwise.addcmul(a, a, a).close();
      assertThat(Tensor.liveCount()).isEqualTo(live);
      assertThat(inner.keep(a)).isSameAs(a);
    }
    // They outlive the scope that was open when they were made.
    Tensor b = Torch.ones(DType.FLOAT32, 2);
    assertThat(Pointwise.addInPlace(b, b).toFloats()).containsExactly(2, 2);
    assertThat(b.mul(2.5).toFloats()).containsExactly(5, 5);
  }

  @Test
  void memoryOfAScopesTensorEndsWithItsTimeInAScope() {
    Tensor inScope = filled(DType.FLOAT32, 4);
    MemorySegment lent = inScope.memory();
    inScope.close();
    assertThatThrownBy(() -> lent.get(ValueLayout.JAVA_FLOAT, 0))
        .isInstanceOf(IllegalStateException.class);
    Tensor released = filled(DType.FLOAT32, 4);
    MemorySegment before = released.memory();
    released.release();
    MemorySegment after = released.memory();
    assertThatThrownBy(() -> before.get(ValueLayout.JAVA_FLOAT, 0))
        .isInstanceOf(IllegalStateException.class);
    assertThat(after.get(ValueLayout.JAVA_FLOAT, 0)).isEqualTo(released.toFloats()[0]);
    released.close();
    assertThatThrownBy(() -> after.get(ValueLayout.JAVA_FLOAT, 0))
        .isInstanceOf(IllegalStateException.class);
  }

  // ---- operands

  private List<Tensor> operands(DType type) {
    return List.of(
        filled(type),
        filled(type, 3),
        filled(type, 4, 3),
        Shapes.transpose(filled(type, 3, 4), 0, 1),
        filled(type, 5),
        filled(type, 2, 1, 1),
        filled(type, 0, 3));
  }

  /** Elements of both signs where the type has them, whole where it has no others. */
  private Tensor filled(DType type, long... sizes) {
    double[] values = new double[(int) Sizes.numel(sizes)];
    Arrays.setAll(
        values,
        _ ->
            type.isFloatingPoint()
                ? random.nextGaussian() * 10
                : random.nextInt(100) - (type == DType.UINT8 ? 0 : 50));
    return Torch.tensor(values, sizes).to(type);
  }

  /** 1 where both refuse. */
  private int holds(String name, BinaryOperator<Tensor> ours, Tensor a, Tensor b) {
    String what = name + " of " + a.describe() + " and " + b.describe();
    try (TensorScope _ = TensorScope.open()) {
      Optional<Tensor> theirs = dispatched(name, a, b);
      if (theirs.isEmpty()) {
        assertThatThrownBy(() -> ours.apply(a, b)).as(what).isInstanceOf(TorchException.class);
        return 1;
      }
      same(what, ours.apply(a, b), theirs.get());
      return 0;
    }
  }

  /** What LibTorch's own interpreter gives; empty where it refuses. */
  private static Optional<Tensor> dispatched(String name, Tensor a, Tensor b) {
    long x = a.furtherHandle();
    long y = b.furtherHandle();
    try {
      return BoxedCall.tensor("aten::" + name, "Tensor", x, y).map(Tensor::new);
    } finally {
      TensorAbi.delete(x);
      TensorAbi.delete(y);
    }
  }

  private static void same(String what, Tensor ours, Tensor theirs) {
    assertThat(ours.dtype()).as(what).isEqualTo(theirs.dtype());
    assertThat(ours.shape()).as(what).isEqualTo(theirs.shape());
    if (ours.numel() > 0) {
      Tensor a = ours.contiguous();
      Tensor b = theirs.contiguous();
      assertThat(a.borrowedMemory().mismatch(b.borrowedMemory()))
          .as(
              "%s: %s, not %s",
              what, Arrays.toString(a.toDoubles()), Arrays.toString(b.toDoubles()))
          .isEqualTo(-1);
    }
  }
}
