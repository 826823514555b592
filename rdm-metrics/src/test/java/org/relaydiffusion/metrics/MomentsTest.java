// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

class MomentsTest {
  private static final int ROWS = 2600;
  private static final int DIMENSIONS = 5;

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

  /** Whole numbers, so that an offset of 2^30 keeps every digit. */
  private static double[] wholeNumbers(double offset) {
    Random random = new Random(3);
    double[] values = new double[ROWS * DIMENSIONS];
    for (int i = 0; i < values.length; i++) {
      values[i] = offset + random.nextInt(-1000, 1000) * (1 + i % DIMENSIONS);
    }
    return values;
  }

  /** Two passes over the data, in plain Java. */
  private static double[] covariance(double[] rows) {
    double[] mean = new double[DIMENSIONS];
    for (int i = 0; i < rows.length; i++) {
      mean[i % DIMENSIONS] += rows[i] / ROWS;
    }
    double[] covariance = new double[DIMENSIONS * DIMENSIONS];
    for (int r = 0; r < ROWS; r++) {
      for (int i = 0; i < DIMENSIONS; i++) {
        for (int j = 0; j < DIMENSIONS; j++) {
          double a = rows[r * DIMENSIONS + i] - mean[i];
          double b = rows[r * DIMENSIONS + j] - mean[j];
          covariance[i * DIMENSIONS + j] += a * b / (ROWS - 1);
        }
      }
    }
    return covariance;
  }

  @ParameterizedTest
  @CsvSource({
    "sample, feat, mu, sigma",
    "sample, s_feat, s_mu, s_sigma",
    "ref, feat, mu_ref, sigma_ref",
    "ref, s_feat, s_mu_ref, s_sigma_ref"
  })
  void activationFilesHaveTheReferencesMeanAndCovariance(
      String file, String array, String mean, String covariance) {
    // metrics/fid_pr: float64 sums in another order; elements are of order 1.
    try (Moments m =
        MomentsFile.ofActivations(Fixtures.path("metrics/fid_pr/" + file + ".npz"), array)) {
      assertThat(m.mean().toDoubles())
          .containsExactly(Fixtures.statistic(mean).toDoubles(), within(1e-13));
      assertThat(m.covariance().toDoubles())
          .containsExactly(Fixtures.statistic(covariance).toDoubles(), within(1e-13));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 7, 1023, 1024, 1025, 2048})
  void batchSizesDoNotChangeABit(int size) {
    Tensor rows = Torch.tensor(wholeNumbers(0.1), ROWS, DIMENSIONS);
    try (MomentsAccumulator cut = new MomentsAccumulator(DIMENSIONS);
        Moments whole = Fixtures.moments(rows)) {
      for (int at = 0; at < ROWS; at += size) {
        cut.add(Shapes.narrow(rows, 0, at, Math.min(size, ROWS - at)));
      }
      assertThat(cut.count()).isEqualTo(ROWS);
      try (Moments m = cut.moments()) {
        assertThat(m.mean().toDoubles()).isEqualTo(whole.mean().toDoubles());
        assertThat(m.covariance().toDoubles()).isEqualTo(whole.covariance().toDoubles());
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"0, 1e-7", "1073741824, 1e-4"})
  void aCommonOffsetDoesNotCancelTheCovariance(double offset, double tolerance) {
    double[] expected = covariance(wholeNumbers(0));
    try (MomentsAccumulator sums = new MomentsAccumulator(DIMENSIONS)) {
      sums.add(wholeNumbers(offset));
      try (Moments m = sums.moments()) {
        // Variances are up to 8e6. An offset of 2^30 rounds the blocks' means to 1e-7, which their
        // distances of order 100 multiply; the mean of squares less the squared mean would be off
        // by 256.
        assertThat(m.covariance().toDoubles()).containsExactly(expected, within(tolerance));
      }
    }
  }

  @Test
  void tilesAndThreadsDoNotChangeABit() {
    // More than two tiles, the last of them narrow.
    Tensor rows = Rows.tensor(Rows.normal(1, 1300, 1030)).add(3);
    try (MomentsAccumulator one = new MomentsAccumulator(1030, 1);
        MomentsAccumulator three = new MomentsAccumulator(1030, 3)) {
      one.add(rows);
      three.add(rows);
      try (Moments a = one.moments();
          Moments b = three.moments()) {
        assertThat(b.mean().toDoubles()).isEqualTo(a.mean().toDoubles());
        double[] covariance = a.covariance().toDoubles();
        assertThat(b.covariance().toDoubles()).isEqualTo(covariance);
        Tensor centred = rows.sub(Reduction.mean(rows, Reduction.KeepDim.NO, 0));
        Tensor product = LinearAlgebra.matmul(Shapes.transpose(centred, 0, 1), centred);
        // Variances are about 1.
        Tensor difference = Pointwise.abs(product.div(1299.0).sub(a.covariance()));
        assertThat(Reduction.amax(difference, Reduction.KeepDim.NO).item()).isLessThan(1e-13);
      }
    }
  }

  @Test
  void activationsAreReadOnceFromEndToEnd() {
    Tensor rows = Torch.tensor(wholeNumbers(0.1), ROWS, DIMENSIONS);
    List<Long> done = new ArrayList<>();
    WorkOptions work = WorkOptions.defaults().withListener((at, _) -> done.add(at));
    try (Moments whole = Fixtures.moments(rows);
        Moments read = Moments.of(Activations.of("rows", rows), work)) {
      assertThat(read.covariance().toDoubles()).isEqualTo(whole.covariance().toDoubles());
      assertThat(read.count()).hasValue(ROWS);
      assertThat(done).containsExactly(1024L, 2048L, 2600L);
    }
  }

  @Test
  void ranksMergeToTheWhole() {
    Tensor rows = Torch.tensor(wholeNumbers(0.1), ROWS, DIMENSIONS);
    try (MomentsAccumulator total = new MomentsAccumulator(DIMENSIONS);
        MomentsAccumulator idle = new MomentsAccumulator(DIMENSIONS);
        MomentsAccumulator second = new MomentsAccumulator(DIMENSIONS);
        Moments whole = Fixtures.moments(rows)) {
      total.merge(idle);
      total.add(Shapes.narrow(rows, 0, 0, 1100));
      second.add(Shapes.narrow(rows, 0, 1100, ROWS - 1100));
      total.merge(second);
      idle.merge(total.count(), total.mean(), total.scatter());
      assertThat(second.count()).isEqualTo(ROWS - 1100);
      try (Moments merged = idle.moments()) {
        assertThat(merged.count()).hasValue(ROWS);
        // Both are float64 sums of 2600 values in different orders; variances are up to 8e6.
        assertThat(merged.mean().toDoubles())
            .containsExactly(whole.mean().toDoubles(), within(1e-10));
        assertThat(merged.covariance().toDoubles())
            .containsExactly(whole.covariance().toDoubles(), within(1e-7));
      }
      assertThatThrownBy(() -> total.merge(total)).isInstanceOf(RdmException.class);
    }
  }

  @Test
  void float32SamplesAreSummedInFloat64() {
    float[] values = {16777216f, 1f, 16777214f, 2f, 16777212f, 3f};
    try (MomentsAccumulator sums = new MomentsAccumulator(2)) {
      sums.add(values);
      try (Moments m = sums.moments()) {
        assertThat(m.mean().dtype()).isEqualTo(DType.FLOAT64);
        assertThat(m.mean().toDoubles()).containsExactly(16777214, 2);
        assertThat(m.covariance().toDoubles()).containsExactly(4, -2, -2, 1);
      }
    }
  }

  @Test
  void samplesAreNotKept() {
    try (MomentsAccumulator sums = new MomentsAccumulator(DIMENSIONS)) {
      sums.add(wholeNumbers(0));
      long live = Tensor.liveCount();
      sums.add(wholeNumbers(0));
      sums.add(wholeNumbers(0));
      assertThat(Tensor.liveCount()).isEqualTo(live);
    }
  }

  @Test
  void whatCannotBeMeantIsRefused() {
    try (MomentsAccumulator sums = new MomentsAccumulator(3)) {
      assertThatThrownBy(() -> sums.add(Torch.zeros(DType.FLOAT64, 2, 4)))
          .isInstanceOf(RdmException.class)
          .hasMessage("a batch must be float32 or float64 [n, 3], not float64[2, 4]");
      assertThatThrownBy(() -> sums.add(Torch.zeros(DType.INT64, 2, 3)))
          .hasMessageContaining("int64[2, 3]");
      assertThatThrownBy(() -> sums.add(new double[4])).hasMessageContaining("not a multiple of");
      sums.add(Torch.zeros(DType.FLOAT64, 0, 3));
      sums.add(new double[3]);
      assertThatThrownBy(sums::moments)
          .hasMessageContaining("at least 2 samples")
          .hasMessageEndingWith("1");
      sums.add(new double[] {0, Double.NaN, 0});
      assertThatThrownBy(sums::moments).hasMessageContaining("not finite");
    }
    Tensor mean = Torch.zeros(DType.FLOAT64, 2);
    Tensor skew = Torch.tensor(new double[] {1, 0.5, 0.4, 1}, 2, 2);
    assertThatThrownBy(() -> Moments.of(mean, skew)).hasMessageContaining("symmetric");
    assertThatThrownBy(() -> Moments.of(mean, Torch.zeros(DType.FLOAT64, 2, 3)))
        .hasMessageContaining("float64[2, 3]");
  }
}
