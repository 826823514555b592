// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Every operator once, against numbers worked out by hand or by Java's own arithmetic. */
class OperatorTest {
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

  private static Tensor f(double... values) {
    return Torch.tensor(values, values.length);
  }

  @Test
  void arithmeticBroadcastsAndKeepsTheFloatingType() {
    Tensor a = Torch.tensor(new float[] {1, 2, 3, 4}, 2, 2);
    Tensor b = Torch.tensor(new float[] {10, 20}, 2);
    assertThat(a.add(b).toFloats()).containsExactly(11, 22, 13, 24);
    assertThat(a.sub(b).toFloats()).containsExactly(-9, -18, -7, -16);
    assertThat(a.mul(b).toFloats()).containsExactly(10, 40, 30, 80);
    assertThat(b.div(a).toFloats()).containsExactly(10, 10, 10f / 3, 5);
    assertThat(a.add(0.5).dtype()).isEqualTo(DType.FLOAT32);
    assertThat(Torch.full(1, DType.FLOAT32).mul(0.1).dtype()).isEqualTo(DType.FLOAT32);
    assertThat(a.mul(0.1).toFloats()).containsExactly(0.1f, 0.2f, 3 * 0.1f, 0.4f);
    assertThat(a.div(3).toFloats()).containsExactly(1 / 3f, 2 / 3f, 1f, 4 / 3f);
    assertThat(Pointwise.addScaled(a, b, 0.5).toFloats()).containsExactly(6, 12, 8, 14);
    assertThat(Pointwise.mulInPlace(Shapes.copy(a), b).toFloats()).containsExactly(10, 40, 30, 80);
    assertThat(a.toFloats()).containsExactly(1, 2, 3, 4);
  }

  @Test
  void elementaryFunctionsAgreeWithJavas() {
    Tensor x = f(0.3, 1.7);
    assertThat(Pointwise.exp(x).toDoubles()[1]).isCloseTo(Math.exp(1.7), within(1e-14));
    assertThat(Pointwise.log(x).toDoubles()[0]).isCloseTo(Math.log(0.3), within(1e-14));
    assertThat(Pointwise.sqrt(x).toDoubles()[0]).isEqualTo(Math.sqrt(0.3));
    assertThat(Pointwise.sin(x).toDoubles()[0]).isCloseTo(Math.sin(0.3), within(1e-15));
    assertThat(Pointwise.cos(x).toDoubles()[1]).isCloseTo(Math.cos(1.7), within(1e-15));
    assertThat(Pointwise.neg(x).toDoubles()).containsExactly(-0.3, -1.7);
    assertThat(Pointwise.abs(Pointwise.neg(x)).toDoubles()).containsExactly(0.3, 1.7);
    assertThat(Pointwise.square(x).toDoubles()[0]).isEqualTo(0.3 * 0.3);
    assertThat(Pointwise.reciprocal(x).toDoubles()[0]).isEqualTo(1 / 0.3);
    assertThat(Pointwise.pow(x, Torch.scalar(3.0)).toDoubles()[1]).isCloseTo(4.913, within(1e-12));
    double sigmoid = 1 / (1 + Math.exp(-1.7));
    assertThat(Pointwise.sigmoid(x).toDoubles()[1]).isCloseTo(sigmoid, within(1e-14));
    assertThat(x.silu().toDoubles()[1]).isCloseTo(1.7 * sigmoid, within(1e-14));
    assertThat(Pointwise.siluInPlace(Shapes.copy(x)).toDoubles()[1])
        .isCloseTo(1.7 * sigmoid, within(1e-14));
  }

  @Test
  void comparisonsSelectAndBound() {
    Tensor a = f(1, 5, 3);
    Tensor b = f(4, 2, 3);
    assertThat(Pointwise.maximum(a, b).toDoubles()).containsExactly(4, 5, 3);
    assertThat(Pointwise.minimum(a, b).toDoubles()).containsExactly(1, 2, 3);
    assertThat(Comparison.lt(a, b).toLongs()).containsExactly(1, 0, 0);
    assertThat(Comparison.gt(a, b).toLongs()).containsExactly(0, 1, 0);
    assertThat(Comparison.eq(a, b).toLongs()).containsExactly(0, 0, 1);
    assertThat(Pointwise.where(Comparison.gt(a, b), a, b).toDoubles()).containsExactly(4, 5, 3);
    assertThat(Pointwise.clamp(a, Torch.scalar(2.0), null).toDoubles()).containsExactly(2, 5, 3);
    assertThat(Pointwise.clamp(a, null, Torch.scalar(2.0)).toDoubles()).containsExactly(1, 2, 2);
    assertThat(Comparison.isFinite(f(1, Double.NaN, Double.POSITIVE_INFINITY)).toLongs())
        .containsExactly(1, 0, 0);
  }

  @Test
  void reductionsFoldTheNamedAxes() {
    Tensor x = Torch.tensor(new double[] {1, 2, 3, 4, 5, 6}, 2, 3);
    assertThat(Reduction.sum(x, Reduction.KeepDim.NO, 1).toDoubles()).containsExactly(6, 15);
    assertThat(Reduction.mean(x, Reduction.KeepDim.YES, 0).shape()).containsExactly(1, 3);
    assertThat(Reduction.mean(x, Reduction.KeepDim.NO, 0, 1).item()).isEqualTo(3.5);
    assertThat(Reduction.amax(x, Reduction.KeepDim.NO).item()).isEqualTo(6);
    assertThat(Reduction.amin(x, Reduction.KeepDim.NO, 0).toDoubles()).containsExactly(1, 2, 3);
    assertThat(Reduction.argmin(Pointwise.neg(x), 1, Reduction.KeepDim.NO).toLongs())
        .containsExactly(2, 2);
    assertThat(Reduction.all(Comparison.gt(x, Torch.scalar(0.0))).toLongs()).containsExactly(1);
  }

  @Test
  void viewsAndJoinsMoveElementsOnly() {
    Tensor x = Torch.arange(6, DType.FLOAT64).reshape(2, 3);
    assertThat(Shapes.permute(x, 1, 0).toDoubles()).containsExactly(0, 3, 1, 4, 2, 5);
    assertThat(Shapes.transpose(x, 0, 1).shape()).containsExactly(3, 2);
    assertThat(Shapes.unsqueeze(x, 0).shape()).containsExactly(1, 2, 3);
    assertThat(Shapes.expand(Shapes.unsqueeze(x, 0), 2, 2, 3).numel()).isEqualTo(12);
    assertThat(Shapes.repeat(x, 1, 2).toDoubles())
        .containsExactly(0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5);
    assertThat(Shapes.cat(List.of(x, x), 1).shape()).containsExactly(2, 6);
    assertThat(Torch.stack(List.of(x, x), 0).shape()).containsExactly(2, 2, 3);
    assertThat(Shapes.narrow(x, 1, 1, 2).toDoubles()).containsExactly(1, 2, 4, 5);
    assertThat(Shapes.slice(x, 1, 0, 3, 2).toDoubles()).containsExactly(0, 2, 3, 5);
    assertThat(Shapes.select(x, 0, 1).toDoubles()).containsExactly(3, 4, 5);
    assertThat(Shapes.chunk(x, 2, 0).get(1).toDoubles()).containsExactly(3, 4, 5);
    assertThat(Shapes.unbind(x, 1)).hasSize(3);
    assertThat(Shapes.flip(x, 1).toDoubles()).containsExactly(2, 1, 0, 5, 4, 3);
    assertThat(Shapes.roll(x, new long[] {1}, new long[] {1}).toDoubles())
        .containsExactly(2, 0, 1, 5, 3, 4);
    assertThat(Shapes.indexSelect(x, 1, Torch.tensor(new long[] {2, 0}, 2)).toDoubles())
        .containsExactly(2, 0, 5, 3);
    assertThat(x.to(DType.INT64).toLongs()).containsExactly(0, 1, 2, 3, 4, 5);
    assertThat(x.to(DType.BFLOAT16).dtype()).isEqualTo(DType.BFLOAT16);
    assertThat(Torch.zerosLike(x).toDoubles()).containsOnly(0);
    assertThat(Torch.ones(DType.FLOAT32, 2).toDoubles()).containsOnly(1);
    assertThat(Torch.tensor(new byte[] {-1}, 1).toLongs()).containsExactly(255);
  }

  @Test
  void networkOperatorsComputeWhatTheySay() {
    Tensor x = Torch.arange(9, DType.FLOAT32).reshape(1, 1, 3, 3);
    Tensor w = Torch.ones(DType.FLOAT32, 1, 1, 3, 3);
    Tensor bias = Torch.full(100, DType.FLOAT32, 1);
    assertThat(Functional.conv2d(x, w, bias, 1, 0, 1).item()).isEqualTo(136);
    assertThat(Functional.conv2d(x, w, null, 1, 1, 1).toFloats()[4]).isEqualTo(36);
    assertThat(
            Functional.convTranspose2d(x, Torch.ones(DType.FLOAT32, 1, 1, 2, 2), null, 2, 0, 1)
                .shape())
        .containsExactly(1, 1, 6, 6);
    assertThat(Functional.linear(f(1, 2), Torch.tensor(new double[] {3, 4}, 1, 2), f(5)).item())
        .isEqualTo(16);
    assertThat(Functional.groupNorm(x, 1, null, null, 0).toFloats()[4]).isEqualTo(0);
    assertThat(Functional.softmax(f(0, 0), 0).toDoubles()).containsExactly(0.5, 0.5);
    assertThat(Functional.upsampleNearest(x, 6, 6).toFloats()).startsWith(0, 0, 1, 1, 2, 2, 0, 0);
    assertThat(Functional.dropout(f(1, 2), 0).toDoubles()).containsExactly(1, 2);
    Tensor q = Torch.ones(DType.FLOAT32, 1, 1, 2, 4);
    assertThat(Functional.attention(q, q, q).toFloats()).containsOnly(1);
    Tensor channelsLast =
        Shapes.contiguous(Torch.ones(DType.FLOAT32, 1, 2, 2, 2), MemoryFormat.CHANNELS_LAST);
    assertThat(channelsLast.strides()).containsExactly(8, 1, 4, 2);
    Tensor m = Torch.tensor(new double[] {1, 2, 3, 4}, 1, 2, 2);
    assertThat(LinearAlgebra.bmm(m, m).toDoubles()).containsExactly(7, 10, 15, 22);
    assertThat(LinearAlgebra.matmul(m, m).toDoubles()).containsExactly(7, 10, 15, 22);
    assertThat(LinearAlgebra.einsum("nij,njk->nik", m, m).toDoubles())
        .containsExactly(7, 10, 15, 22);
  }

  @Test
  void paddingMayDifferBetweenRowsAndColumns() {
    Tensor x = Torch.arange(6, DType.FLOAT32).reshape(1, 1, 2, 3);
    Tensor row = Torch.ones(DType.FLOAT32, 1, 1, 1, 3);
    Tensor y = Functional.conv2d(x, row, null, 1, new Padding2d(0, 1), 1);
    assertThat(y.shape()).containsExactly(1, 1, 2, 3);
    assertThat(y.toFloats()).containsExactly(1, 3, 3, 7, 12, 9);
  }

  @Test
  void stridesMayDifferBetweenRowsAndColumns() {
    Tensor x = Torch.arange(12, DType.FLOAT32).reshape(1, 1, 3, 4);
    Tensor one = Torch.ones(DType.FLOAT32, 1, 1, 1, 1);
    Tensor y = Functional.conv2d(x, one, null, new Stride2d(1, 2), Padding2d.NONE, 1);
    assertThat(y.shape()).containsExactly(1, 1, 3, 2);
    assertThat(y.toFloats()).containsExactly(0, 2, 4, 6, 8, 10);
  }

  @Test
  void batchNormalisationIsOfEachChannel() {
    Tensor x = Torch.tensor(new double[] {1, 2, 30, 40}, 1, 2, 1, 2);
    Tensor mean = f(1, 20);
    Tensor variance = f(0.25, 24);
    assertThat(Functional.batchNorm(x, mean, variance, null, null, 1).toDoubles())
        .containsExactly(new double[] {0, 1 / Math.sqrt(1.25), 10 / 5.0, 20 / 5.0}, within(1e-14));
    assertThat(Functional.batchNorm(x, mean, variance, f(2, 3), f(7, 8), 1).toDoubles())
        .containsExactly(
            new double[] {7, 7 + 2 / Math.sqrt(1.25), 8 + 3 * 2.0, 8 + 3 * 4.0}, within(1e-14));
  }

  @Test
  void poolingsDoNotCountWhatLiesBeyondTheEdges() {
    Tensor x = Torch.arange(9, DType.FLOAT32).reshape(1, 1, 3, 3).add(-10);
    assertThat(Functional.averagePool(x, 3, 1, 1).toFloats())
        .containsExactly(-8, -7.5f, -7, -6.5f, -6, -5.5f, -5, -4.5f, -4);
    assertThat(Functional.maxPool(x, 3, 1, 1).toFloats())
        .containsExactly(-6, -5, -5, -3, -2, -2, -3, -2, -2);
    assertThat(Functional.maxPool(x, 2, 2, 0).toFloats()).containsExactly(-6);
    assertThat(Functional.averagePool(x, 2).toFloats()).containsExactly(-8);
    assertThat(Pointwise.reluInPlace(f(-1, 2)).toDoubles()).containsExactly(0, 2);
  }

  @Test
  void samplingBeyondTheEdgesGivesZerosOrTheEdge() {
    Tensor x = Torch.tensor(new float[] {1, 3}, 1, 1, 1, 2);
    // Two pixels to the right: at 2 and at 3, where the image has 0 and 1.
    Tensor theta = Torch.tensor(new float[] {1, 0, 2, 0, 1, 0}, 1, 2, 3);
    Tensor grid = Functional.affineGrid(theta, 1, 1, 1, 2);
    assertThat(Functional.gridSampleBilinear(x, grid, Functional.Beyond.ZEROS).toFloats())
        .containsExactly(0, 0);
    assertThat(Functional.gridSampleBilinear(x, grid, Functional.Beyond.BORDER).toFloats())
        .containsExactly(3, 3);
  }

  @Test
  void packedConvolutionsStrideAndActivate() {
    Tensor x =
        Shapes.contiguous(
            Torch.arange(2 * 5 * 6, DType.FLOAT32).reshape(1, 2, 5, 6).add(-30),
            MemoryFormat.CHANNELS_LAST);
    Tensor w = Torch.arange(3 * 2 * 3, DType.FLOAT32).reshape(3, 2, 1, 3).add(-8);
    Tensor bias = Torch.tensor(new float[] {100, -10, 5}, 3);
    Padding2d padding = new Padding2d(0, 1);
    PackedConv2d.Geometry geometry =
        new PackedConv2d.Geometry(2, padding, 1, 5, 6, PackedConv2d.Activation.RELU);
    try (PackedConv2d packed = PackedConv2d.pack(w, bias, geometry)) {
      Tensor expected = Pointwise.reluInPlace(Functional.conv2d(x, w, bias, 2, padding, 1));
      // Whole numbers below 2^24: no order of the sums rounds.
      assertThat(packed.apply(x).toFloats()).containsExactly(expected.toFloats());
    }
  }

  @Test
  void symmetricMatricesFallApartIntoEigenvectors() {
    // [[2, 1], [1, 2]] has (1, -1) / sqrt 2 at 1 and (1, 1) / sqrt 2 at 3; the upper half is not
    // read.
    Tensor m = Torch.tensor(new double[] {2, 99, 1, 2}, 2, 2);
    LinearAlgebra.Eigen eigen = LinearAlgebra.eigh(m);
    assertThat(eigen.eigenvalues().toDoubles()).containsExactly(new double[] {1, 3}, within(1e-14));
    assertThat(Pointwise.abs(eigen.eigenvectors()).toDoubles())
        .containsOnly(new double[] {Math.sqrt(0.5)}, within(1e-14));
    Tensor product = eigen.eigenvectors().mul(eigen.eigenvalues());
    Tensor back = LinearAlgebra.matmul(product, Shapes.transpose(eigen.eigenvectors(), 0, 1));
    assertThat(back.toDoubles()).containsExactly(new double[] {2, 1, 1, 2}, within(1e-14));
    assertThat(LinearAlgebra.eigvalsh(m).toDoubles())
        .containsExactly(new double[] {1, 3}, within(1e-14));
  }

  @Test
  void positiveDefiniteMatricesHaveACholeskyFactor() {
    // [[4, 2], [2, 10]] = L L^T with L = [[2, 0], [1, 3]]; the upper half is not read.
    Tensor m = Torch.tensor(new double[] {4, 99, 2, 10}, 2, 2);
    Tensor l = LinearAlgebra.cholesky(m).orElseThrow();
    assertThat(l.toDoubles()).containsExactly(2, 0, 1, 3);
    assertThat(LinearAlgebra.cholesky(Torch.tensor(new double[] {1, 2, 2, 1}, 2, 2))).isEmpty();
    Tensor b = Torch.tensor(new double[] {4, 8}, 2, 1);
    assertThat(LinearAlgebra.solveTriangular(l, LinearAlgebra.Triangle.LOWER, b).toDoubles())
        .containsExactly(2, 2);
    Tensor upper = Shapes.transpose(l, 0, 1);
    assertThat(LinearAlgebra.solveTriangular(upper, LinearAlgebra.Triangle.UPPER, b).toDoubles())
        .containsExactly(new double[] {2 / 3.0, 8 / 3.0}, within(1e-15));
  }

  @Test
  void singularValuesAreDescending() {
    Tensor m = Torch.tensor(new double[] {0, 3, 0, -4, 0, 0}, 2, 3);
    assertThat(LinearAlgebra.svdvals(m).toDoubles())
        .containsExactly(new double[] {4, 3}, within(1e-14));
  }

  @Test
  void aRefusedOperationNamesItselfAndItsOperands() {
    Tensor a = Torch.ones(DType.FLOAT32, 2, 3);
    Tensor b = Torch.ones(DType.FLOAT32, 4, 5);
    assertThatThrownBy(() -> LinearAlgebra.matmul(a, b))
        .isInstanceOf(TorchException.class)
        .hasMessageContaining("aten::matmul(self=float32[2, 3], other=float32[4, 5]) failed");
    assertThatThrownBy(() -> a.add(b)).hasMessageContaining("float32[2, 3], float32[4, 5]");
    assertThat(a.add(a).toFloats()).containsOnly(2);
  }
}
