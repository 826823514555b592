package org.relaydiffusion.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Reduction.KeepDim;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

class FrechetDistanceTest {
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

  private static Offset<Double> relative(double expected, double tolerance) {
    return within(Math.abs(expected) * tolerance);
  }

  private static Tensor head(Tensor rows, long count) {
    return Shapes.narrow(rows, 0, 0, count);
  }

  private static double sum(Tensor vector) {
    return Reduction.sum(vector, KeepDim.NO, 0).item();
  }

  private static double trace(Tensor matrix) {
    return sum(matrix.mul(eye(matrix.size(0))).reshape(-1));
  }

  private static Tensor eye(long n) {
    double[] values = new double[(int) (n * n)];
    for (int i = 0; i < n; i++) {
      values[(int) (i * n + i)] = 1;
    }
    return Torch.tensor(values, n, n);
  }

  private static double withRoot(Moments a, Moments b, double traceOfRoot) {
    Tensor shift = a.mean().sub(b.mean());
    return sum(shift.mul(shift)) + trace(a.covariance()) + trace(b.covariance()) - 2 * traceOfRoot;
  }

  /** The check: with S1 = A A^T and S2 = B B^T, the trace is the sum of A^T B's singular values. */
  private static double bySingularValues(Moments a, Moments b) {
    Tensor left = Shapes.transpose(FrechetDistance.factor(a), 0, 1);
    Tensor inner = LinearAlgebra.matmul(left, FrechetDistance.factor(b));
    return withRoot(a, b, sum(LinearAlgebra.svdvals(inner)));
  }

  /** The same from the centred samples themselves, without any covariance or eigenvalue. */
  private static double bySamples(Tensor rowsA, Tensor rowsB) {
    Tensor a = rowsA.sub(Reduction.mean(rowsA, KeepDim.YES, 0));
    Tensor b = rowsB.sub(Reduction.mean(rowsB, KeepDim.YES, 0));
    Tensor inner = LinearAlgebra.matmul(a, Shapes.transpose(b, 0, 1));
    double scale = Math.sqrt((double) (a.size(0) - 1) * (b.size(0) - 1));
    try (Moments ma = Fixtures.moments(rowsA);
        Moments mb = Fixtures.moments(rowsB)) {
      return withRoot(ma, mb, sum(LinearAlgebra.svdvals(inner)) / scale);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "feat, fid_batch64", "feat, fid_batch7", "s_feat, sfid_batch64", "s_feat, sfid_batch7"
  })
  void activationFilesHaveTheReferencesFidAndSfid(String array, String name) {
    double expected = Fixtures.expected(name);
    try (Moments sample = MomentsFile.ofActivations(Fixtures.SAMPLE, array);
        Moments reference = MomentsFile.ofActivations(Fixtures.REFERENCE, array)) {
      // metrics/fid_pr: the covariances have full rank, so both ways are exact to rounding.
      assertThat(FrechetDistance.between(sample, reference))
          .isCloseTo(expected, relative(expected, 1e-12));
      assertThat(FrechetDistance.between(reference, sample))
          .isCloseTo(expected, relative(expected, 1e-12));
      assertThat(bySingularValues(sample, reference))
          .isCloseTo(expected, relative(expected, 1e-12));
      // fid_self is the reference's own rounding below 0.
      assertThat(FrechetDistance.between(sample, sample)).isCloseTo(0, within(1e-12));
    }
  }

  @Test
  void statisticsOfUnknownCountGiveTheSameDistance() {
    double expected = Fixtures.expected("fid_batch64");
    try (Moments sample = Moments.of(Fixtures.statistic("mu"), Fixtures.statistic("sigma"));
        Moments reference =
            Moments.of(Fixtures.statistic("mu_ref"), Fixtures.statistic("sigma_ref"))) {
      assertThat(FrechetDistance.between(sample, reference))
          .isCloseTo(expected, relative(expected, 1e-12));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "16, 160, fid_rank_deficient_first_half_dim_samples",
    "16, 19, fid_rank_deficient_both"
  })
  void fewerSamplesThanDimensionsStayCloseToTheReference(int few, int others, String name) {
    double expected = Fixtures.expected(name);
    Tensor rowsA = head(Fixtures.rows(Fixtures.SAMPLE, "feat"), few);
    Tensor rowsB = head(Fixtures.rows(Fixtures.REFERENCE, "feat"), others);
    try (Moments a = Fixtures.moments(rowsA);
        Moments b = Fixtures.moments(rowsB);
        Moments blindA = Moments.of(a.mean(), a.covariance());
        Moments blindB = Moments.of(b.mean(), b.covariance())) {
      // The reference's matrix root of a singular matrix is itself off by up to 5e-9 and more.
      assertThat(FrechetDistance.between(a, b)).isCloseTo(expected, relative(expected, 1e-5));
      assertThat(FrechetDistance.between(b, a)).isCloseTo(expected, relative(expected, 1e-5));
      // Against the exact value the known rank leaves only rounding.
      double exact = bySamples(rowsA, rowsB);
      assertThat(FrechetDistance.between(a, b)).isCloseTo(exact, relative(exact, 1e-11));
      assertThat(bySingularValues(a, b)).isCloseTo(exact, relative(exact, 1e-11));
      // Where the count is unknown, square roots of rounding errors stay: 32 of about 1e-8.
      assertThat(FrechetDistance.between(blindA, blindB))
          .isCloseTo(exact, relative(exact, 1e-6));
    }
  }

  @Test
  void commutingCovariancesHaveAClosedForm() {
    Tensor origin = Torch.zeros(DType.FLOAT64, 2);
    Tensor mean = Torch.tensor(new double[] {1, 2}, 2);
    try (Moments a = Moments.of(origin, Torch.tensor(new double[] {4, 0, 0, 9}, 2, 2));
        Moments b = Moments.of(mean, Torch.tensor(new double[] {1, 0, 0, 16}, 2, 2))) {
      // |m|^2 + (2 - 1)^2 + (3 - 4)^2
      assertThat(FrechetDistance.between(a, b)).isCloseTo(7, within(1e-13));
    }
  }

  @Test
  void aConstantSetIsComparedByItsMean() {
    Tensor ones = Torch.ones(DType.FLOAT64, 3, 4);
    try (Moments a = Fixtures.moments(ones);
        Moments b = Fixtures.moments(ones.mul(3))) {
      assertThat(FrechetDistance.between(a, b)).isEqualTo(16);
    }
  }

  @Test
  void differentDimensionsAreRefused() {
    try (Moments a = MomentsFile.ofActivations(Fixtures.SAMPLE, "feat");
        Moments b = MomentsFile.ofActivations(Fixtures.REFERENCE, "s_feat")) {
      assertThatThrownBy(() -> FrechetDistance.between(a, b))
          .isInstanceOf(RdmException.class)
          .hasMessage("moments of 32 and of 31 dimensions cannot be compared");
    }
  }
}
