// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The derivative of every operator that networks and losses use, against central differences. */
class OperatorGradientTest {
  private static final double STEP = 1e-5;

  // A central difference is off by STEP^2 times a third derivative, and by 1e-16 / STEP.
  private static final double TOLERANCE = 1e-7;

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

  /** An operation on tensors of these sizes, whose elements are drawn from (0.5, 1.5). */
  private static Arguments of(
      String what, Function<List<Tensor>, Tensor> operation, long[]... sizes) {
    return arguments(what, operation, sizes);
  }

  private static Arguments unary(String what, Function<Tensor, Tensor> operation) {
    return of(what, x -> operation.apply(x.getFirst()), s(2, 4, 6, 6));
  }

  private static long[] s(long... sizes) {
    return sizes;
  }

  static Stream<Arguments> pointwise() {
    return Stream.of(
        of("add", x -> x.get(0).add(x.get(1)), s(2, 3), s(3)),
        of("sub", x -> x.get(0).sub(x.get(1)), s(2, 3), s(3)),
        of("mul", x -> x.get(0).mul(x.get(1)), s(2, 3), s(3)),
        of("div", x -> x.get(0).div(x.get(1)), s(2, 3), s(3)),
        of("scaled", x -> Pointwise.addScaled(x.get(0), x.get(1), 0.3), s(2, 3), s(3)),
        of("pow", x -> Pointwise.pow(x.get(0), x.get(1)), s(2, 3), s(3)),
        of("addcmul", x -> Pointwise.addcmul(x.get(0), x.get(1), x.get(2)), s(2, 3), s(3), s(2, 1)),
        of("addInPlace", x -> Pointwise.addInPlace(x.get(0).mul(2), x.get(1)), s(2, 3), s(2, 3)),
        of(
            "addInPlace, broadcast",
            x -> Pointwise.addInPlace(x.get(0).mul(2), x.get(1)),
            s(2, 3),
            s(3)),
        of("mulInPlace", x -> Pointwise.mulInPlace(x.get(0).mul(2), x.get(1)), s(2, 3), s(3)),
        of("where", x -> Pointwise.where(mask(x.get(0)), x.get(0), x.get(1)), s(2, 3), s(2, 3)),
        unary("add a number", x -> x.add(0.3)),
        unary("mul by a number", x -> x.mul(0.3)),
        unary("div by a number", x -> x.div(0.3)),
        unary("neg", Pointwise::neg),
        unary("exp", Pointwise::exp),
        unary("exp2", Pointwise::exp2),
        unary("log", Pointwise::log),
        unary("sqrt", Pointwise::sqrt),
        unary("sin", Pointwise::sin),
        unary("cos", Pointwise::cos),
        unary("abs", Pointwise::abs),
        unary("sigmoid", Pointwise::sigmoid),
        unary("silu", Tensor::silu),
        unary("siluInPlace", x -> Pointwise.siluInPlace(x.mul(2))),
        unary("reciprocal", Pointwise::reciprocal),
        unary("square", Pointwise::square),
        unary("sub a number", x -> x.sub(0.3)),
        unary("relu", x -> x.sub(1).relu()),
        unary("tanh", Tensor::tanh),
        unary("gelu", Pointwise::gelu),
        unary("erf", Pointwise::erf),
        unary("log1p", Pointwise::log1p),
        unary("expm1", Pointwise::expm1),
        unary("rsqrt", Pointwise::rsqrt),
        unary("pow 3", x -> x.pow(3)),
        unary("pow -2", x -> x.pow(-2)),
        unary("pow 1.7", x -> x.pow(1.7)),
        unary("clamp to numbers", x -> Pointwise.clamp(x, 0.7, 1.2)),
        unary("clamp", x -> Pointwise.clamp(x, Torch.scalar(0.7), Torch.scalar(1.2))),
        of("scalars", x -> x.get(0).mul(3).add(x.get(1)).div(2), s(), s()));
  }

  private static Tensor mask(Tensor x) {
    return Comparison.gt(x.detach(), Torch.scalar(1.0));
  }

  static Stream<Arguments> shapes() {
    return Stream.of(
        unary("sum", x -> Reduction.sum(x, Reduction.KeepDim.NO, 1, 2)),
        unary("mean", x -> Reduction.mean(x, Reduction.KeepDim.YES, 1)),
        unary("amax", x -> Reduction.amax(x, Reduction.KeepDim.YES, 1)),
        unary("sum of all", Tensor::sum),
        unary("mean of all", Tensor::mean),
        unary("var", x -> Reduction.var(x, Reduction.KeepDim.NO, 1, 3)),
        unary(
            "var, uncorrected",
            x -> Reduction.var(x, Reduction.Correction.NONE, Reduction.KeepDim.YES, 2)),
        unary("std", x -> Reduction.std(x, Reduction.KeepDim.NO)),
        unary("sum over no axes", x -> Reduction.sum(x, Reduction.KeepDim.NO)),
        unary("mean over no axes", x -> Reduction.mean(x, Reduction.KeepDim.YES)),
        unary("var over no axes", x -> Reduction.var(x, Reduction.KeepDim.YES)),
        unary("amax over no axes", x -> Reduction.amax(x, Reduction.KeepDim.NO)),
        unary("logsumexp over no axes", x -> Reduction.logsumexp(x, Reduction.KeepDim.NO)),
        unary("logsumexp", x -> Reduction.logsumexp(x, Reduction.KeepDim.NO, 1)),
        unary("cumsum", x -> Reduction.cumsum(x, 2)),
        unary("norm", Norms::norm),
        unary("norm over one axis", x -> Norms.norm(x, Reduction.KeepDim.YES, 1)),
        unary("norm over three axes", x -> Norms.norm(x, Reduction.KeepDim.NO, 0, 3, 1)),
        unary("norm of order 1", x -> Norms.norm(x, 1, Reduction.KeepDim.NO, 2)),
        unary("norm of order 3", x -> Norms.norm(x, 3, Reduction.KeepDim.NO, 2, 3)),
        unary(
            "largest norm",
            x -> Norms.norm(x, Double.POSITIVE_INFINITY, Reduction.KeepDim.NO, 2, 3)),
        unary("topk", x -> Sorting.topk(x, 2, 1).values()),
        unary("sort", x -> Sorting.sort(x, 3, Sorting.Order.DESCENDING).values()),
        unary("max along an axis", x -> Sorting.max(x, 1, Reduction.KeepDim.NO).values()),
        unary("squeeze", x -> x.narrow(1, 2, 1).squeeze(1)),
        unary("flatten", x -> x.flatten(1)),
        unary("tril", x -> Shapes.tril(x, 1)),
        unary("triu", x -> Shapes.triu(x, -1)),
        unary("masked select", x -> Shapes.maskedSelect(x, mask(x))),
        unary("masked fill", x -> Shapes.maskedFill(x, mask(x), 0.25)),
        unary("gather", x -> Shapes.gather(x, 1, Torch.tensor(new long[] {3, 0, 3}, 1, 3, 1, 1))),
        unary("index", x -> x.index(Index.at(1), Index.range(1, 4), Index.newAxis())),
        unary(
            "index by tensors",
            x -> x.index(Index.all(), Index.of(Torch.tensor(new long[] {3, 0, 3})))),
        of(
            "scatter",
            x -> Shapes.scatter(x.get(0), 1, Torch.tensor(new long[] {3, 0}, 1, 2), x.get(1)),
            s(2, 4),
            s(1, 2)),
        of(
            "scatterAdd",
            x -> Shapes.scatterAdd(x.get(0), 1, Torch.tensor(new long[] {3, 3}, 1, 2), x.get(1)),
            s(2, 4),
            s(1, 2)),
        of(
            "indexPut",
            x -> Shapes.copy(x.get(0)).indexPut(x.get(1), Index.all(), Index.at(1)),
            s(2, 4),
            s(2)),
        of(
            "indexPut by a tensor",
            x ->
                Shapes.copy(x.get(0)).indexPut(x.get(1), Index.of(Torch.tensor(new long[] {1, 0}))),
            s(3, 4),
            s(2, 4)),
        unary("reshape", x -> x.reshape(8, -1)),
        unary("permute", x -> Shapes.permute(x, 1, 3, 0, 2)),
        unary("transpose", x -> Shapes.transpose(x, 0, 3)),
        unary("unsqueeze", x -> Shapes.unsqueeze(x, 2)),
        unary("expand", x -> Shapes.expand(Shapes.narrow(x, 1, 0, 1), 2, 5, 6, 6)),
        unary("repeat", x -> Shapes.repeat(x, 1, 2, 1, 3)),
        unary("slice", x -> Shapes.slice(x, 2, 1, 6, 2)),
        unary("select", x -> Shapes.select(x, 1, 2)),
        unary("chunk", x -> Shapes.chunk(x, 2, 1).get(1)),
        unary("unbind", x -> Shapes.unbind(x, 1).get(3)),
        unary("flip", x -> Shapes.flip(x, 3)),
        unary("roll", x -> Shapes.roll(x, new long[] {1}, new long[] {2})),
        unary("indexSelect", x -> Shapes.indexSelect(x, 1, Torch.tensor(new long[] {3, 0, 3}, 3))),
        unary("copy", Shapes::copy),
        unary("channels last", x -> Shapes.contiguous(x, MemoryFormat.CHANNELS_LAST)),
        unary("to the same type", x -> x.to(DType.FLOAT64)),
        unary("to the same device", x -> x.to(Device.CPU)),
        of("cat", x -> Shapes.cat(List.of(x.get(0), x.get(1)), 1), s(2, 3), s(2, 1)),
        of("stack", x -> Torch.stack(List.of(x.get(0), x.get(1)), 1), s(2, 3), s(2, 3)),
        of("copyFrom", x -> Shapes.copy(x.get(0)).copyFrom(x.get(1)), s(2, 3), s(3)));
  }

  static Stream<Arguments> networks() {
    return Stream.of(
        of(
            "conv2d",
            x -> Functional.conv2d(x.get(0), x.get(1), x.get(2), 1, 1, 1),
            s(2, 4, 6, 6),
            s(3, 4, 3, 3),
            s(3)),
        of(
            "conv2d in channels-last order",
            x ->
                Functional.conv2d(
                    Shapes.contiguous(x.get(0), MemoryFormat.CHANNELS_LAST),
                    Shapes.contiguous(x.get(1), MemoryFormat.CHANNELS_LAST),
                    x.get(2),
                    1,
                    1,
                    1),
            s(2, 4, 6, 6),
            s(3, 4, 3, 3),
            s(3)),
        of(
            "depthwise conv2d, stride 2",
            x -> Functional.conv2d(x.get(0), x.get(1), null, 2, 0, 4),
            s(2, 4, 6, 6),
            s(4, 1, 2, 2)),
        of(
            "convTranspose2d",
            x -> Functional.convTranspose2d(x.get(0), x.get(1), x.get(2), 2, 1, 1),
            s(2, 4, 3, 3),
            s(4, 2, 4, 4),
            s(2)),
        of(
            "depthwise convTranspose2d",
            x -> Functional.convTranspose2d(x.get(0), x.get(1), null, 2, 0, 4),
            s(2, 4, 3, 3),
            s(4, 1, 2, 2)),
        of("linear", x -> Functional.linear(x.get(0), x.get(1), x.get(2)), s(2, 4), s(3, 4), s(3)),
        of(
            "groupNorm",
            x -> Functional.groupNorm(x.get(0), 2, x.get(1), x.get(2), 1e-5),
            s(2, 4, 6, 6),
            s(4),
            s(4)),
        of(
            "groupNorm in channels-last order",
            x ->
                Functional.groupNorm(
                    Shapes.contiguous(x.get(0), MemoryFormat.CHANNELS_LAST),
                    2,
                    x.get(1),
                    x.get(2),
                    1e-5),
            s(2, 4, 6, 6),
            s(4),
            s(4)),
        of(
            "layerNorm",
            x -> Functional.layerNorm(x.get(0), new long[] {4, 3}, x.get(1), x.get(2), 1e-5),
            s(2, 4, 3),
            s(4, 3),
            s(4, 3)),
        of(
            "embedding",
            x -> Functional.embedding(x.getFirst(), Torch.tensor(new long[] {4, 0, 4}, 3)),
            s(5, 2)),
        unary("logSoftmax", x -> Functional.logSoftmax(x, 1)),
        unary("softmax", x -> Functional.softmax(x, 3)),
        unary("upsampleNearest", x -> Functional.upsampleNearest(x, 12, 12)),
        unary("averagePool", x -> Functional.averagePool(x, 2)),
        unary("dropout 0", x -> Functional.dropout(x, 0)),
        unary("dropout", x -> seededDropout(x, 0.4)),
        of(
            "attention",
            x -> Functional.attention(x.get(0), x.get(1), x.get(2)),
            s(2, 2, 5, 4),
            s(2, 2, 3, 4),
            s(2, 2, 3, 4)),
        of("matmul", x -> LinearAlgebra.matmul(x.get(0), x.get(1)), s(2, 3, 4), s(4, 2)),
        of("bmm", x -> LinearAlgebra.bmm(x.get(0), x.get(1)), s(2, 3, 4), s(2, 4, 2)),
        of(
            "einsum",
            x -> LinearAlgebra.einsum("ncq,nck->nqk", x.get(0), x.get(1)),
            s(2, 3, 4),
            s(2, 3, 5)));
  }

  private static Tensor classes() {
    return Torch.tensor(new long[] {2, 0, -100, 1}, 4);
  }

  static Stream<Arguments> losses() {
    return Stream.of(
        of("crossEntropy", x -> Losses.crossEntropy(x.getFirst(), classes()), s(4, 3)),
        of(
            "crossEntropy by probabilities",
            x -> Losses.crossEntropy(x.get(0), x.get(1).softmax(1)),
            s(4, 3),
            s(4, 3)),
        of(
            "crossEntropy of each, weighted and smoothed",
            x ->
                Losses.crossEntropy(
                    x.getFirst(),
                    classes(),
                    Torch.tensor(new double[] {1, 0.5, 2}),
                    Losses.Total.NONE,
                    0.1),
            s(4, 3)),
        of("nll", x -> Losses.nll(x.getFirst(), classes()), s(4, 3)),
        of("mse", x -> Losses.mse(x.get(0), x.get(1)), s(4, 3), s(4, 3)),
        of("mse of each", x -> Losses.mse(x.get(0), x.get(1), Losses.Total.NONE), s(4, 3), s(4, 3)),
        of("l1", x -> Losses.l1(x.get(0), x.get(1)), s(4, 3), s(4, 3)),
        of("smoothL1", x -> Losses.smoothL1(x.get(0), x.get(1), 0.4), s(4, 3), s(4, 3)),
        of(
            "binaryCrossEntropy",
            x -> Losses.binaryCrossEntropy(x.get(0), x.get(1)),
            s(4, 3),
            s(4, 3)));
  }

  private static Tensor seededDropout(Tensor x, double p) {
    Generator.global().seed(11);
    return Functional.dropout(x, p);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource({"pointwise", "shapes", "networks", "losses"})
  void isTheSlopeOfItsValue(String what, Function<List<Tensor>, Tensor> operation, long[][] sizes) {
    try (Generator random = Generator.seeded(1)) {
      List<double[]> values = new ArrayList<>();
      List<Tensor> leaves = new ArrayList<>();
      for (long[] size : sizes) {
        Tensor leaf = random.rand(DType.FLOAT64, size).add(0.5);
        values.add(leaf.toDoubles());
        leaves.add(leaf.requiresGrad(true));
      }
      Tensor y = operation.apply(leaves);
      assertThat(y.requiresGrad()).as("records").isTrue();
      Tensor factors = random.randn(DType.FLOAT64, y.shape());
      Autograd.backward(y, factors, Autograd.Graph.FREE);
      for (int i = 0; i < leaves.size(); i++) {
        double[] grad = Objects.requireNonNull(leaves.get(i).grad(), what).toDoubles();
        // A direction in which every element moves by another amount.
        double[] direction = random.randn(DType.FLOAT64, sizes[i]).toDoubles();
        double slope = 0;
        for (int k = 0; k < grad.length; k++) {
          slope += grad[k] * direction[k];
        }
        double up = value(operation, factors, moved(values, i, direction, STEP), sizes);
        double down = value(operation, factors, moved(values, i, direction, -STEP), sizes);
        double expected = (up - down) / (2 * STEP);
        assertThat(slope)
            .as("%s by operand %s", what, i)
            .isCloseTo(expected, within(TOLERANCE * Math.max(1, Math.abs(expected)) * 10));
      }
    }
  }

  static Stream<Arguments> kernelsOfTheirOwn() {
    // float32 has 6e-8 of relative precision, bfloat16 4e-3; sums of up to 72 products round often.
    return Stream.of(arguments(DType.FLOAT32, 1e-5), arguments(DType.BFLOAT16, 6e-2));
  }

  @ParameterizedTest
  @MethodSource("kernelsOfTheirOwn")
  void convolutionsAndAttentionGoTheSameWayInNarrowTypes(DType dtype, double tolerance) {
    Function<List<Tensor>, Tensor> network =
        x -> {
          Tensor h = Functional.conv2d(x.get(0), x.get(1), null, 1, 1, 1);
          Tensor heads = Shapes.transpose(h.reshape(2, 2, 4, 36), 2, 3);
          Tensor attended = Functional.attention(heads, heads, heads);
          return Functional.convTranspose2d(
              Shapes.transpose(attended, 2, 3).reshape(2, 8, 6, 6), x.get(2), null, 2, 1, 1);
        };
    long[][] sizes = {s(2, 4, 6, 6), s(8, 4, 3, 3), s(8, 3, 4, 4)};
    try (Generator random = Generator.seeded(1)) {
      List<Tensor> wide = new ArrayList<>();
      List<Tensor> narrow = new ArrayList<>();
      for (long[] size : sizes) {
        Tensor values = random.randn(DType.FLOAT64, size).mul(0.3).to(dtype);
        wide.add(values.to(DType.FLOAT64).requiresGrad(true));
        narrow.add(Shapes.copy(values).requiresGrad(true));
      }
      Tensor factors = random.randn(DType.FLOAT64, 2, 3, 12, 12).to(dtype);
      Autograd.backward(network.apply(wide), factors.to(DType.FLOAT64), Autograd.Graph.FREE);
      Autograd.backward(network.apply(narrow), factors, Autograd.Graph.FREE);
      for (int i = 0; i < sizes.length; i++) {
        Tensor expected = Objects.requireNonNull(wide.get(i).grad());
        Tensor actual = Objects.requireNonNull(narrow.get(i).grad());
        assertThat(actual.dtype()).isEqualTo(dtype);
        double largest = Reduction.amax(Pointwise.abs(expected), Reduction.KeepDim.NO).item();
        Tensor off = Pointwise.abs(actual.to(DType.FLOAT64).sub(expected));
        assertThat(Reduction.amax(off, Reduction.KeepDim.NO).item())
            .as("operand %s", i)
            .isLessThan(tolerance * largest);
      }
    }
  }

  private static List<double[]> moved(
      List<double[]> values, int operand, double[] direction, double step) {
    List<double[]> moved = new ArrayList<>(values);
    double[] one = values.get(operand).clone();
    Arrays.setAll(one, k -> values.get(operand)[k] + step * direction[k]);
    moved.set(operand, one);
    return moved;
  }

  private static double value(
      Function<List<Tensor>, Tensor> operation,
      Tensor factors,
      List<double[]> values,
      long[][] sizes) {
    try (GradMode _ = GradMode.noGrad()) {
      List<Tensor> operands = new ArrayList<>();
      for (int i = 0; i < sizes.length; i++) {
        operands.add(Torch.tensor(values.get(i), sizes[i]));
      }
      Tensor y = operation.apply(operands).mul(factors);
      return Arrays.stream(y.toDoubles()).sum();
    }
  }
}
