// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.torch.Losses.Total;
import org.relaydiffusion.torch.Reduction.Correction;
import org.relaydiffusion.torch.Reduction.KeepDim;
import org.relaydiffusion.torch.Sorting.Order;
import org.relaydiffusion.torch.Sorting.Ranked;

/**
 * Operators against PyTorch's results: {@code operator_values.txt}, made by the script beside it.
 * Those whose name begins with = have its bits; the others are within a few roundings of float64,
 * which a newer LibTorch may do otherwise.
 */
class OperatorValuesTest {
  private static final double TOLERANCE = 1e-12;

  /** One line. */
  private record Case(String name, List<String> operands, List<String> results) {
    static Case of(String line) {
      String[] sides = line.split(" => ", -1);
      List<String> left = List.of(sides[0].split("; ", -1));
      return new Case(
          left.getFirst(), left.subList(1, left.size()), List.of(sides[1].split("; ", -1)));
    }
  }

  private static Tensor tensor(String text) {
    String[] words = text.split(" ", -1);
    DType dtype = DType.ofTorchName(words[0]).orElseThrow();
    String sizes = words[1].substring(1, words[1].length() - 1);
    long[] shape =
        sizes.isEmpty()
            ? new long[0]
            : Arrays.stream(sizes.split(",", -1)).mapToLong(Long::parseLong).toArray();
    String[] elements = words.length < 3 ? new String[0] : words[2].split(",", -1);
    return dtype.isFloatingPoint()
        ? Torch.tensor(
                Arrays.stream(elements).mapToDouble(OperatorValuesTest::number).toArray(), shape)
            .to(dtype)
        : Torch.tensor(Arrays.stream(elements).mapToLong(Long::parseLong).toArray(), shape)
            .to(dtype);
  }

  /** As Python writes it. */
  private static double number(String text) {
    return Double.parseDouble(text.replace("nan", "NaN").replace("inf", "Infinity"));
  }

  @Test
  void agreeWithPyTorch() throws IOException {
    InputStream file =
        Objects.requireNonNull(OperatorValuesTest.class.getResourceAsStream("operator_values.txt"));
    int count = 0;
    try (BufferedReader reader = new BufferedReader(new InputStreamReader(file, UTF_8))) {
      for (String line : reader.lines().toList()) {
        check(Case.of(line));
        count++;
      }
    }
    assertThat(count).isGreaterThan(140);
  }

  private static void check(Case expected) {
    try (TensorScope _ = TensorScope.open()) {
      List<Tensor> operands = expected.operands().stream().map(OperatorValuesTest::tensor).toList();
      List<Tensor> results = compute(expected.name(), operands);
      assertThat(results).as(expected.name()).hasSameSizeAs(expected.results());
      for (int i = 0; i < results.size(); i++) {
        Tensor actual = results.get(i);
        Tensor wanted = tensor(expected.results().get(i));
        String what = expected + ", result " + i;
        assertThat(actual.describe()).as(what).isEqualTo(wanted.describe());
        if (expected.name().startsWith("=") || !wanted.dtype().isFloatingPoint()) {
          assertThat(actual.toDoubles()).as(what).containsExactly(wanted.toDoubles());
        } else {
          assertThat(actual.toDoubles())
              .as(what)
              .containsExactly(wanted.toDoubles(), within(TOLERANCE));
        }
      }
    }
  }

  /** The words of a name: the operator, then its numbers and choices. */
  private record Words(List<String> all) {
    double number(int i) {
      return OperatorValuesTest.number(all.get(i));
    }

    int whole(int i) {
      return Integer.parseInt(all.get(i));
    }

    boolean has(String word) {
      return all.contains(word);
    }

    KeepDim keep() {
      return has("keep") ? KeepDim.YES : KeepDim.NO;
    }

    /** The whole numbers from word i on. */
    long[] dims(int i) {
      return all.stream()
          .skip(i)
          .filter(w -> w.matches("-?\\d+"))
          .mapToLong(Long::parseLong)
          .toArray();
    }
  }

  private static List<Tensor> compute(String name, List<Tensor> x) {
    Words words = new Words(List.of(name.replaceFirst("^=", "").split(" ", -1)));
    String operator = words.all().getFirst();
    return switch (operator) {
      case "topk", "sort", "max", "min" -> {
        Ranked ranked = ranked(operator, words, x.getFirst());
        yield List.of(ranked.values(), ranked.indices());
      }
      case "index" -> List.of(x.getFirst().index(indices(name, x)));
      case "put" -> List.of(Shapes.copy(x.getFirst()).indexPut(x.get(1), indices(name, x)));
      default -> List.of(one(operator, words, x));
    };
  }

  private static Ranked ranked(String operator, Words words, Tensor x) {
    return switch (operator) {
      case "topk" ->
          words.has("ascending")
              ? Sorting.topk(x, words.whole(1), words.whole(2), Order.ASCENDING)
              : Sorting.topk(x, words.whole(1), words.whole(2));
      case "sort" ->
          Sorting.sort(
              x, words.whole(1), words.has("descending") ? Order.DESCENDING : Order.ASCENDING);
      case "max" -> Sorting.max(x, words.whole(1), words.keep());
      default -> Sorting.min(x, words.whole(1), words.keep());
    };
  }

  private static Index[] indices(String name, List<Tensor> x) {
    return switch (name) {
      case "index at", "put at" -> new Index[] {Index.at(1)};
      case "index at -1" -> new Index[] {Index.rest(), Index.at(-1)};
      case "index range" ->
          new Index[] {Index.all(), Index.range(1, 3), Index.range(0, Long.MAX_VALUE, 2)};
      case "index new" -> new Index[] {Index.newAxis(), Index.at(2), Index.all(), Index.newAxis()};
      case "index rows" -> new Index[] {Index.of(x.get(1))};
      case "index mask" -> {
        Tensor zero = Torch.full(0, DType.FLOAT64);
        yield new Index[] {Index.of(x.getFirst().gt(zero))};
      }
      case "index first mask" -> new Index[] {Index.of(x.get(1)), Index.from(1)};
      case "index pair" -> new Index[] {Index.of(x.get(1)), Index.all(), Index.of(x.get(2))};
      case "index middle" -> new Index[] {Index.from(1), Index.of(x.get(1)), Index.at(0)};
      case "index all" -> new Index[] {Index.rest()};
      case "put range" -> new Index[] {Index.all(), Index.at(2)};
      case "put rows", "put mask" -> new Index[] {Index.of(x.get(2))};
      default -> throw new AssertionError("no operator is called " + name);
    };
  }

  private static Tensor one(String operator, Words words, List<Tensor> x) {
    return switch (operator) {
      case "relu" -> x.getFirst().relu();
      case "tanh" -> x.getFirst().tanh();
      case "erf" -> Pointwise.erf(x.getFirst());
      case "floor" -> Pointwise.floor(x.getFirst());
      case "ceil" -> Pointwise.ceil(x.getFirst());
      case "round" -> Pointwise.round(x.getFirst());
      case "sign" -> Pointwise.sign(x.getFirst());
      case "expm1" -> Pointwise.expm1(x.getFirst());
      case "gelu" -> Pointwise.gelu(x.getFirst());
      case "log1p" -> Pointwise.log1p(x.getFirst());
      case "rsqrt" -> Pointwise.rsqrt(x.getFirst());
      case "isNan" -> Comparison.isNan(x.getFirst());
      case "logicalNot" -> Comparison.logicalNot(x.getFirst());
      case "ne" -> Comparison.ne(x.get(0), x.get(1));
      case "le" -> Comparison.le(x.get(0), x.get(1));
      case "ge" -> Comparison.ge(x.get(0), x.get(1));
      case "logical_and" -> Comparison.logicalAnd(x.get(0), x.get(1));
      case "logical_or" -> Comparison.logicalOr(x.get(0), x.get(1));
      case "sub" -> x.getFirst().sub(0.3);
      case "clamp" -> Pointwise.clamp(x.getFirst(), -1, 0.5);
      case "pow" -> x.getFirst().pow(words.number(1));
      case "where" -> Pointwise.where(x.get(0), x.get(1), x.get(2));
      case "linspace" ->
          Torch.linspace(
              words.number(1),
              words.number(2),
              words.whole(3),
              DType.ofTorchName(words.all().get(4)).orElseThrow());
      case "eye" -> Torch.eye(words.whole(1), DType.FLOAT32);
      case "randperm" -> {
        try (Generator g = Generator.seeded(words.whole(1))) {
          yield g.randperm(words.whole(2));
        }
      }
      default -> ofAxes(operator, words, x);
    };
  }

  private static Tensor ofAxes(String operator, Words words, List<Tensor> x) {
    Tensor first = x.getFirst();
    return switch (operator) {
      case "sum" -> first.sum();
      case "mean" -> first.mean();
      case "argmax" ->
          words.all().size() == 1
              ? Reduction.argmax(first)
              : Reduction.argmax(first, words.whole(1), words.keep());
      case "any" -> Reduction.any(first);
      case "var" -> Reduction.var(first, correction(words), words.keep(), words.dims(2));
      case "std" -> Reduction.std(first, correction(words), words.keep(), words.dims(2));
      case "logsumexp" -> Reduction.logsumexp(first, KeepDim.NO, words.dims(1));
      case "cumsum" -> Reduction.cumsum(first, words.whole(1));
      case "norm" -> Norms.norm(first, words.number(1), words.keep(), words.dims(2));
      case "logSoftmax" -> Functional.logSoftmax(first, words.whole(1));
      case "layerNorm" ->
          x.size() == 1
              ? Functional.layerNorm(first, new long[] {4}, null, null, 1e-5)
              : Functional.layerNorm(first, new long[] {3, 4}, x.get(1), x.get(2), 1e-5);
      case "embedding" -> Functional.embedding(first, x.get(1));
      case "oneHot" -> Functional.oneHot(first, words.whole(1));
      case "squeeze" -> first.squeeze(words.whole(1));
      case "flatten" -> Shapes.flatten(first, words.whole(1), words.whole(2));
      case "gather" -> Shapes.gather(first, words.whole(1), x.get(1));
      case "scatter" -> Shapes.scatter(first, words.whole(1), x.get(1), x.get(2));
      case "scatterAdd" -> Shapes.scatterAdd(first, words.whole(1), x.get(1), x.get(2));
      case "maskedSelect" -> Shapes.maskedSelect(first, x.get(1));
      case "maskedFill" -> Shapes.maskedFill(first, x.get(1), words.number(1));
      case "nonzero" -> Shapes.nonzero(first);
      case "tril" -> Shapes.tril(first, words.whole(1));
      case "triu" -> Shapes.triu(first, words.whole(1));
      default -> loss(operator, words, x);
    };
  }

  private static Correction correction(Words words) {
    return words.whole(1) == 1 ? Correction.BESSEL : Correction.NONE;
  }

  private static Tensor loss(String operator, Words words, List<Tensor> x) {
    Total total = words.has("sum") ? Total.SUM : words.has("none") ? Total.NONE : Total.MEAN;
    return switch (operator) {
      case "crossEntropy" ->
          words.has("weighted")
              ? Losses.crossEntropy(x.get(0), x.get(1), x.get(2), Total.SUM, 0.1)
              : words.has("none")
                  ? Losses.crossEntropy(x.get(0), x.get(1), null, Total.NONE, 0)
                  : Losses.crossEntropy(x.get(0), x.get(1));
      case "nll" -> Losses.nll(x.get(0), x.get(1));
      case "mse" ->
          total == Total.MEAN
              ? Losses.mse(x.get(0), x.get(1))
              : Losses.mse(x.get(0), x.get(1), total);
      case "l1" ->
          total == Total.MEAN
              ? Losses.l1(x.get(0), x.get(1))
              : Losses.l1(x.get(0), x.get(1), total);
      case "smoothL1" -> Losses.smoothL1(x.get(0), x.get(1), words.number(1));
      case "binaryCrossEntropy" -> Losses.binaryCrossEntropy(x.get(0), x.get(1));
      default -> throw new AssertionError("no operator is called " + operator);
    };
  }
}
