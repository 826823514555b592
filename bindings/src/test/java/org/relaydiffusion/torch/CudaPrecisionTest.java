// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.relaydiffusion.torch.CudaPrecision.HalfSums;
import org.relaydiffusion.torch.CudaPrecision.Tf32;
import org.relaydiffusion.torch.ffi.ContextAbi;

/** The settings are LibTorch's, also in a build without CUDA: they are read back from there. */
class CudaPrecisionTest {
  private CudaPrecision before = CudaPrecision.DEFAULT;

  @BeforeEach
  void remember() {
    before = CudaPrecision.current();
  }

  @AfterEach
  void restore() {
    before.apply();
  }

  @Test
  void aProcessBeginsWithTheDefaults() {
    assertThat(before).isEqualTo(CudaPrecision.DEFAULT);
  }

  @ParameterizedTest
  @EnumSource
  void everyCombinationIsReadBack(Tf32 convolutions) {
    for (Tf32 matrices : Tf32.values()) {
      for (HalfSums sums : HalfSums.values()) {
        CudaPrecision wanted = new CudaPrecision(convolutions, matrices, sums);
        wanted.apply();
        assertThat(CudaPrecision.current()).isEqualTo(wanted);
      }
    }
  }

  @Test
  void tensorFloat32IsChosenForBothProductsAndTheSumsStay() {
    assertThat(CudaPrecision.FULL.with(Tf32.ALLOWED))
        .isEqualTo(new CudaPrecision(Tf32.ALLOWED, Tf32.ALLOWED, HalfSums.FULL));
    assertThat(CudaPrecision.DEFAULT.with(Tf32.FORBIDDEN))
        .isEqualTo(new CudaPrecision(Tf32.FORBIDDEN, Tf32.FORBIDDEN, HalfSums.REDUCED));
  }

  @ParameterizedTest
  @EnumSource
  void tensorFloat32IsSetByItself(HalfSums sums) {
    for (Tf32 everywhere : Tf32.values()) {
      new CudaPrecision(Tf32.ALLOWED, Tf32.FORBIDDEN, sums).apply();
      CudaPrecision.setTf32(everywhere);
      assertThat(CudaPrecision.current())
          .isEqualTo(new CudaPrecision(everywhere, everywhere, sums));
    }
  }

  @Test
  void cudnnCanBeToldToBenchmarkItsKernels() {
    Torch.benchmarkCudnn();
    assertThat(ContextAbi.benchmarksCudnn()).isTrue();
  }

  @Test
  void nothingChangesOnTheCpu() {
    try (TensorScope _ = TensorScope.open()) {
      Tensor x = Torch.tensor(new float[] {1 + 0x1p-20f, 2}, 1, 2);
      Tensor y = Torch.tensor(new float[] {3, 4}, 2, 1);
      CudaPrecision.FULL.with(Tf32.ALLOWED).apply();
      assertThat(LinearAlgebra.matmul(x, y).item()).isEqualTo(11 + 3 * 0x1p-20);
    }
  }
}
