// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.RdmException;

/** What makes no sense is an exception, never a crash, and leaves the thread ready for more. */
class MisuseTest {
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

  /** An operation on an image [1, 4, 6, 6] that cannot be done. */
  private static Arguments bad(String what, Function<Tensor, ?> operation) {
    return arguments(what, operation);
  }

  private static Tensor ones(long... sizes) {
    return Torch.ones(DType.FLOAT32, sizes);
  }

  static Stream<Arguments> convolutions() {
    Function<Tensor, Tensor> w = _ -> ones(4, 4, 3, 3);
    return Stream.of(
        bad("stride 0", x -> Functional.conv2d(x, w.apply(x), null, 0, 1, 1)),
        bad("stride -1", x -> Functional.conv2d(x, w.apply(x), null, -1, 1, 1)),
        bad("padding -1", x -> Functional.conv2d(x, w.apply(x), null, 1, -1, 1)),
        bad("groups 0", x -> Functional.conv2d(x, w.apply(x), null, 1, 1, 0)),
        bad("groups 3", x -> Functional.conv2d(x, w.apply(x), null, 1, 1, 3)),
        bad("groups -1", x -> Functional.conv2d(x, w.apply(x), null, 1, 1, -1)),
        bad("channels", x -> Functional.conv2d(x, ones(4, 5, 3, 3), null, 1, 1, 1)),
        bad("weight's rank", x -> Functional.conv2d(x, ones(4), null, 1, 1, 1)),
        bad("kernel 0", x -> Functional.conv2d(x, ones(4, 4, 0, 0), null, 1, 0, 1)),
        bad("kernel larger", x -> Functional.conv2d(x, ones(4, 4, 9, 9), null, 1, 0, 1)),
        bad("bias", x -> Functional.conv2d(x, w.apply(x), ones(5), 1, 1, 1)),
        bad("types", x -> Functional.conv2d(x.to(DType.FLOAT64), w.apply(x), null, 1, 1, 1)),
        bad("up, stride 0", x -> Functional.convTranspose2d(x, w.apply(x), null, 0, 1, 1)),
        bad("up, groups 0", x -> Functional.convTranspose2d(x, w.apply(x), null, 2, 1, 0)),
        bad("up, channels", x -> Functional.convTranspose2d(x, ones(5, 4, 2, 2), null, 2, 0, 1)),
        bad("up, padding", x -> Functional.convTranspose2d(x, w.apply(x), null, 2, 50, 1)));
  }

  static Stream<Arguments> networks() {
    return Stream.of(
        bad("0 groups", x -> Functional.groupNorm(x, 0, null, null, 0)),
        bad("-1 groups", x -> Functional.groupNorm(x, -1, null, null, 0)),
        bad("3 groups", x -> Functional.groupNorm(x, 3, null, null, 0)),
        bad("norm's weight", x -> Functional.groupNorm(x, 2, ones(3), null, 0)),
        bad("norm of a vector", _ -> Functional.groupNorm(ones(4), 2, null, null, 0)),
        bad("pool 0", x -> Functional.averagePool(x, 0)),
        bad("pool -2", x -> Functional.averagePool(x, -2)),
        bad("pool 7", x -> Functional.averagePool(x, 7)),
        bad("pool's padding", x -> Functional.averagePool(x, 2, 1, 2)),
        bad("maximum of 0", x -> Functional.maxPool(x, 0, 1, 0)),
        bad("maximum, stride 0", x -> Functional.maxPool(x, 2, 0, 0)),
        bad("maximum's padding", x -> Functional.maxPool(x, 2, 1, 2)),
        bad("batch norm's mean", x -> Functional.batchNorm(x, ones(3), ones(4), null, null, 0)),
        bad("batch norm's shift", x -> Functional.batchNorm(x, ones(4), ones(4), null, ones(3), 0)),
        bad("upsample to 0", x -> Functional.upsampleNearest(x, 0, 0)),
        bad("upsample to -1", x -> Functional.upsampleNearest(x, -1, 5)),
        bad("upsample a vector", _ -> Functional.upsampleNearest(ones(4), 2, 2)),
        bad("dropout 2", x -> Functional.dropout(x, 2)),
        bad("softmax axis", x -> Functional.softmax(x, 4)),
        bad("softmax of integers", _ -> Functional.softmax(Torch.scalar(1L), 0)),
        bad("linear", x -> Functional.linear(x, ones(3, 5), null)),
        bad("attention", x -> Functional.attention(x, ones(1, 4, 6, 5), x)),
        bad("matmul", x -> LinearAlgebra.matmul(x, ones(5))),
        bad("bmm of a vector", x -> LinearAlgebra.bmm(x, ones(5))),
        bad("einsum's text", x -> LinearAlgebra.einsum("nope", x, x)),
        bad("cdist's shape", x -> LinearAlgebra.cdist(x, ones(2, 3))));
  }

  static Stream<Arguments> shapes() {
    return Stream.of(
        bad("axis 4", x -> x.size(4)),
        bad("axis -5", x -> x.size(-5)),
        bad("axis of a scalar", _ -> Torch.scalar(1.0).size(0)),
        bad("reshape", x -> x.reshape(5, 5)),
        bad("two -1", x -> x.reshape(-1, -1)),
        bad("reshape to huge", x -> x.reshape(Long.MAX_VALUE, 4)),
        bad("permute", x -> Shapes.permute(x, 0, 1)),
        bad("permute twice", x -> Shapes.permute(x, 0, 0, 1, 2)),
        bad("transpose", x -> Shapes.transpose(x, 0, 9)),
        bad("unsqueeze", x -> Shapes.unsqueeze(x, 9)),
        bad("expand", x -> Shapes.expand(x, 7, 7)),
        bad("expand to huge", x -> Shapes.copy(Shapes.expand(x, 1L << 60, 4, 6, 6))),
        bad("repeat to huge", x -> Shapes.repeat(x, 1L << 40, 1L << 40, 1, 1)),
        bad("repeat -1", x -> Shapes.repeat(x, -1, 1, 1, 1)),
        bad("cat of nothing", _ -> Shapes.cat(List.of(), 0)),
        bad("cat", x -> Shapes.cat(List.of(x, ones(1, 2)), 1)),
        bad("narrow", x -> Shapes.narrow(x, 1, 3, 2)),
        bad("narrow -1", x -> Shapes.narrow(x, 1, 0, -1)),
        bad("slice step 0", x -> Shapes.slice(x, 0, 0, 1, 0)),
        bad("select", x -> Shapes.select(x, 1, 4)),
        bad("chunk 0", x -> Shapes.chunk(x, 0, 1)),
        bad("unbind", x -> Shapes.unbind(x, 7)),
        bad("flip", x -> Shapes.flip(x, 7)),
        bad("roll", x -> Shapes.roll(x, new long[] {1}, new long[] {1, 2})),
        bad("index", x -> Shapes.indexSelect(x, 1, Torch.tensor(new long[] {9}, 1))),
        bad("index < 0", x -> Shapes.indexSelect(x, 1, Torch.tensor(new long[] {-9}, 1))),
        bad("index's type", x -> Shapes.indexSelect(x, 1, ones(1))),
        bad("33 axes", _ -> Torch.empty(DType.FLOAT32, Device.CPU, new long[33])),
        bad("size -1", _ -> Torch.empty(DType.FLOAT32, Device.CPU, -1)),
        bad("huge", _ -> Torch.empty(DType.FLOAT32, Device.CPU, 1L << 40, 1L << 40)),
        bad("values", _ -> Torch.tensor(new float[3], 2)),
        bad("size overflow", _ -> Torch.tensor(new float[1], 1L << 62, 1L << 62)),
        bad("arange", _ -> Torch.arange(-1, DType.FLOAT32)),
        bad("strides", _ -> strided(new long[] {2, 2}, 1)),
        bad("stride -1", _ -> strided(new long[] {2, 2}, 1, -1)),
        bad("stack", x -> Torch.stack(List.of(x, ones(1)), 0)),
        bad("item", Tensor::item),
        bad("more floats than an array has", _ -> huge(DType.FLOAT32).toFloats()),
        bad("more doubles than an array has", _ -> huge(DType.FLOAT64).toDoubles()),
        bad("more longs than an array has", _ -> huge(DType.INT64).toLongs()),
        bad("more bytes than an array has", _ -> huge(DType.UINT8).toBytes()),
        bad("memory of a view", x -> Shapes.transpose(x, 1, 2).memory()),
        bad("sum over no axis 7", x -> Reduction.sum(x, Reduction.KeepDim.NO, 7)),
        bad("amax of nothing", _ -> Reduction.amax(ones(0), Reduction.KeepDim.NO)),
        bad("argmin of nothing", _ -> Reduction.argmin(ones(0), 0, Reduction.KeepDim.NO)),
        bad("copy", x -> x.copyFrom(ones(5))),
        bad("in place", x -> Pointwise.mulInPlace(x, ones(2, 4, 6, 6))),
        bad("in place of integers", _ -> Pointwise.siluInPlace(Torch.scalar(1L))),
        bad("gradient of integers", _ -> Torch.scalar(1L).requiresGrad(true)),
        bad("draws of integers", _ -> Generator.global().randn(DType.INT32, 1)),
        bad("draws of size -1", _ -> Generator.global().rand(DType.FLOAT32, -1)),
        bad("bound 0", _ -> Generator.global().randint(0, 1)));
  }

  /** One element, 2^31 times. */
  private static Tensor huge(DType type) {
    return Shapes.expand(Torch.ones(type, 1), 1L << 31);
  }

  private static Tensor strided(long[] sizes, long... strides) {
    return Torch.emptyStrided(DType.FLOAT32, Device.CPU, sizes, strides);
  }

  static Stream<Arguments> packed() {
    return Stream.of(
        bad("weight's rank", _ -> PackedConv2d.pack(ones(4), null, 1, 6)),
        bad(
            "weight's type",
            _ -> PackedConv2d.pack(ones(4, 4, 3, 3).to(DType.FLOAT64), null, 1, 6)),
        bad("bias", _ -> PackedConv2d.pack(ones(4, 4, 3, 3), ones(3), 1, 6)),
        bad("padding", _ -> PackedConv2d.pack(ones(4, 4, 3, 3), null, -1, 6)),
        bad("resolution", _ -> PackedConv2d.pack(ones(4, 4, 3, 3), null, 1, 0)),
        bad("kernel 0", _ -> PackedConv2d.pack(ones(4, 4, 0, 0), null, 0, 6)),
        bad("stride 0", _ -> PackedConv2d.pack(ones(4, 4, 3, 3), null, geometry(0, 1, 6))),
        bad("columns", _ -> PackedConv2d.pack(ones(4, 4, 3, 3), null, geometry(1, -1, 6))),
        bad("width", _ -> PackedConv2d.pack(ones(4, 4, 3, 3), null, geometry(1, 1, 0))),
        bad("channels", x -> apply(Shapes.narrow(x, 1, 0, 3))),
        bad("type", x -> apply(x.to(DType.FLOAT64))),
        bad("other type", x -> apply(x.to(DType.BFLOAT16))),
        bad("rank", x -> apply(x.reshape(4, 36))),
        bad("too small", x -> applyUnpadded(Shapes.narrow(x, 2, 0, 2))));
  }

  private static PackedConv2d.Geometry geometry(int stride, int columns, int width) {
    return new PackedConv2d.Geometry(
        stride, new Padding2d(1, columns), 1, 6, width, PackedConv2d.Activation.NONE);
  }

  private static Tensor apply(Tensor x) {
    try (var conv = PackedConv2d.pack(ones(4, 4, 3, 3), null, 1, 6)) {
      return conv.apply(x);
    }
  }

  private static Tensor applyUnpadded(Tensor x) {
    try (var conv = PackedConv2d.pack(ones(4, 4, 3, 3), null, 0, 6)) {
      return conv.apply(x);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource({"convolutions", "networks", "shapes", "packed"})
  void isRefusedInOneLine(String what, Function<Tensor, ?> operation) {
    Tensor x = ones(1, 4, 6, 6);
    assertThatThrownBy(() -> operation.apply(x))
        .as(what)
        .isInstanceOf(RdmException.class)
        .message()
        .isNotBlank()
        .doesNotContain("\n");
    assertThat(x.add(x).toFloats()).containsOnly(2);
  }
}
