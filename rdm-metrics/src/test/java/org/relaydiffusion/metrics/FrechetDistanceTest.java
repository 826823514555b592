// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
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
  private static final WorkOptions WORK = WorkOptions.defaults().withThreads(2);

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
    Tensor left = Shapes.transpose(MomentsPair.eigenFactor(a), 0, 1);
    Tensor inner = LinearAlgebra.matmul(left, MomentsPair.eigenFactor(b));
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
    "feat, fid_batch64",
    "feat, fid_batch7",
    "s_feat, sfid_batch64",
    "s_feat, sfid_batch7"
  })
  void activationFilesHaveTheReferencesFidAndSfid(String array, String name) {
    double expected = Fixtures.expected(name);
    try (Moments sample = MomentsFile.ofActivations(Fixtures.SAMPLE, array);
        Moments reference = MomentsFile.ofActivations(Fixtures.REFERENCE, array)) {
      // metrics/fid_pr: the covariances have full rank, so both ways are exact to rounding.
      assertThat(FrechetDistance.between(sample, reference).distance())
          .isCloseTo(expected, relative(expected, 1e-12));
      assertThat(FrechetDistance.between(reference, sample).distance())
          .isCloseTo(expected, relative(expected, 1e-12));
      assertThat(bySingularValues(sample, reference))
          .isCloseTo(expected, relative(expected, 1e-12));
      // fid_self is the reference's own rounding below 0.
      assertThat(FrechetDistance.between(sample, sample).distance()).isCloseTo(0, within(1e-12));
    }
  }

  @Test
  void statisticsOfUnknownCountGiveTheSameDistance() {
    double expected = Fixtures.expected("fid_batch64");
    try (Moments sample = Moments.of(Fixtures.statistic("mu"), Fixtures.statistic("sigma"));
        Moments reference =
            Moments.of(Fixtures.statistic("mu_ref"), Fixtures.statistic("sigma_ref"))) {
      assertThat(FrechetDistance.between(sample, reference).distance())
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
      assertThat(FrechetDistance.between(a, b).distance())
          .isCloseTo(expected, relative(expected, 1e-5));
      assertThat(FrechetDistance.between(b, a).distance())
          .isCloseTo(expected, relative(expected, 1e-5));
      // Against the exact value the known rank leaves only rounding.
      double exact = bySamples(rowsA, rowsB);
      assertThat(FrechetDistance.between(a, b).distance()).isCloseTo(exact, relative(exact, 1e-11));
      assertThat(bySingularValues(a, b)).isCloseTo(exact, relative(exact, 1e-11));
      // Where the count is unknown, square roots of rounding errors stay: 32 of about 1e-8.
      assertThat(FrechetDistance.between(blindA, blindB).distance())
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
      assertThat(FrechetDistance.between(a, b).distance()).isCloseTo(7, within(1e-13));
    }
  }

  @Test
  void aConstantSetIsComparedByItsMean() {
    Tensor ones = Torch.ones(DType.FLOAT64, 3, 4);
    try (Moments a = Fixtures.moments(ones);
        Moments b = Fixtures.moments(ones.mul(3))) {
      assertThat(FrechetDistance.between(a, b).distance()).isEqualTo(16);
    }
  }

  /** Rows with variances from 1 down to {@code smallest}, in directions of their own. */
  private static double[][] rows(long seed, int count, int dimensions, double smallest) {
    Tensor mix = LinearAlgebra.eigh(symmetric(seed, dimensions)).eigenvectors();
    double[][] rows = Rows.normal(seed + 1, count, dimensions);
    for (double[] row : rows) {
      for (int d = 0; d < dimensions; d++) {
        row[d] *= Math.pow(smallest, 0.5 * d / (dimensions - 1));
      }
    }
    return Rows.of(LinearAlgebra.matmul(Rows.tensor(rows), mix));
  }

  private static Tensor symmetric(long seed, int dimensions) {
    Tensor any = Rows.tensor(Rows.normal(seed, dimensions, dimensions));
    return any.add(Shapes.transpose(any, 0, 1));
  }

  @ParameterizedTest
  @CsvSource({"10, 1e-2", "255, 1e-4", "256, 1e-4", "300, 1e-6", "300, 1e-9"})
  void blocksOfEverySizeMakeTheDistanceOfSingularValues(int dimensions, double smallest) {
    Tensor first = Rows.tensor(rows(1, 2 * dimensions, dimensions, smallest));
    Tensor second = Rows.tensor(rows(7, 3 * dimensions, dimensions, smallest)).add(0.1);
    try (Moments a = Fixtures.moments(first);
        Moments b = Fixtures.moments(second)) {
      FrechetDistance found = FrechetDistance.between(a, b, WORK.withThreads(1));
      double expected = bySamples(first, second);
      assertThat(found.distance()).isCloseTo(expected, relative(expected, 1e-11));
      assertThat(found.warning()).isEmpty();
      assertThat(FrechetDistance.between(a, b, WORK.withThreads(3))).isEqualTo(found);
    }
  }

  @ParameterizedTest
  @CsvSource({"20, 25", "20, 300", "300, 20", "300, 200", "40, 41", "2, 2"})
  void activationsHaveTheDistanceOfTheirMoments(int samples, int references) {
    double[][] first = rows(1, samples, 40, 1e-3);
    double[][] second = Rows.map(rows(7, references, 40, 1e-3), x -> 0.9 * x + 0.1);
    Activations a = Rows.of("a", first);
    Activations b = Rows.of("b", second);
    double expected = bySamples(Rows.tensor(first), Rows.tensor(second));
    try (Moments ma = Moments.of(a, WORK);
        Moments mb = Moments.of(b, WORK)) {
      FrechetDistance byMoments = FrechetDistance.between(ma, mb, WORK);
      for (FrechetDistance found :
          List.of(
              byMoments,
              FrechetDistance.between(a, b, WORK),
              FrechetDistance.between(a, mb, WORK))) {
        assertThat(found.distance()).isCloseTo(expected, relative(expected, 1e-11));
        assertThat(found.samples().count()).hasValue(samples);
        assertThat(found.references().count()).hasValue(references);
        assertThat(found.samples().rank()).isEqualTo(Math.min(40, samples - 1));
        assertThat(found.references().rank()).isEqualTo(Math.min(40, references - 1));
        assertThat(found.warning()).isEqualTo(byMoments.warning());
        assertThat(found.samples().trace())
            .isCloseTo(byMoments.samples().trace(), relative(byMoments.samples().trace(), 1e-12));
      }
    }
  }

  private static Moments diagonal(double... variances) {
    int n = variances.length;
    double[] covariance = new double[n * n];
    for (int i = 0; i < n; i++) {
      covariance[i * n + i] = variances[i];
    }
    return Moments.of(Torch.zeros(DType.FLOAT64, n), Torch.tensor(covariance, n, n));
  }

  @Test
  void theResultTellsItsParts() {
    try (Moments a = diagonal(4, 9, 1e-3);
        Moments b = diagonal(16, 1, 1e-3)) {
      FrechetDistance found = FrechetDistance.between(a, b);
      assertThat(found.squaredShift()).isEqualTo(0);
      assertThat(found.samples().trace()).isCloseTo(13.001, within(1e-14));
      assertThat(found.references().trace()).isCloseTo(17.001, within(1e-14));
      assertThat(found.traceOfRoot()).isCloseTo(8 + 3 + 1e-3, within(1e-13));
      assertThat(found.distance()).isCloseTo(8, within(1e-13));
      CovarianceSummary samples = found.samples();
      assertThat(samples.rank()).isEqualTo(3);
      assertThat(samples.isSingular()).isFalse();
      // A few steps of iteration: the ends of the spectrum to some percent.
      assertThat(samples.largest()).isCloseTo(9, within(0.01)).isLessThanOrEqualTo(9.0001);
      assertThat(samples.smallest()).isCloseTo(1e-3, within(1e-6));
      assertThat(samples.condition()).isCloseTo(9000, within(20.0));
      assertThat(found.warning()).isEmpty();
    }
  }

  @Test
  void estimatesOfDenseSpectraAreOfTheRightSize() {
    double[][] rows = rows(3, 900, 200, 1e-7);
    try (Moments moments = Fixtures.moments(Rows.tensor(rows))) {
      double[] exact = LinearAlgebra.eigvalsh(moments.covariance()).toDoubles();
      CovarianceSummary found = FrechetDistance.between(moments, moments).samples();
      assertThat(found.smallest()).isBetween(exact[0] * (1 - 1e-6), exact[0] * 2);
      assertThat(found.largest()).isBetween(exact[199] / 2, exact[199] * (1 + 1e-12));
    }
  }

  @Test
  void aSingularCovarianceIsWarnedOf() {
    Tensor rows = Fixtures.rows(Fixtures.SAMPLE, "feat");
    Tensor references = Fixtures.rows(Fixtures.REFERENCE, "feat");
    try (Moments few = Fixtures.moments(head(rows, 16));
        Moments many = Fixtures.moments(references)) {
      assertThat(FrechetDistance.between(few, many).warning())
          .hasValueSatisfying(text ->
              assertThat(text)
                  .matches(
                      "the covariance of the samples has rank 15 of 32 \\(16 images\\),"
                          + " eigenvalues 0\\.00 to [0-9.]+: the distance is only comparable for"
                          + " equal numbers of images"));
      assertThat(FrechetDistance.between(many, few).warning().orElseThrow())
          .startsWith("the covariance of the references has rank 15 of 32 (16 images)");
    }
    try (Moments flat = diagonal(1, 2, 0);
        Moments flatter = diagonal(1, 1e-20, 0)) {
      FrechetDistance found = FrechetDistance.between(flat, flatter);
      assertThat(found.warning())
          .hasValue(
              "the covariance of the samples has rank 2 of 3 (number of images unknown),"
                  + " eigenvalues 0.00 to 2.00, that of the references has rank 1 of 3 (number of"
                  + " images unknown), eigenvalues 0.00 to 1.00: other programs may give different"
                  + " last digits");
      assertThat(found.samples().condition()).isInfinite();
      assertThat(found.distance()).isCloseTo(2 - 2 * Math.sqrt(2e-20), within(1e-14));
    }
  }

  @Test
  void aPivotThatMayBeRoundingIsNotTrusted() {
    // Positive definite as far as Cholesky sees, with a third direction of rounding only.
    Moments thin = diagonal(1, 1, 1e-18);
    try (thin;
        Moments round = diagonal(1, 1, 1)) {
      FrechetDistance found = FrechetDistance.between(thin, round);
      assertThat(found.samples().rank()).isEqualTo(2);
      assertThat(found.samples().smallest()).isEqualTo(1e-18);
      assertThat(found.distance()).isCloseTo(1 - 2e-9, within(1e-15));
    }
  }

  @Test
  void tooFewRowsAndRowsThatAreNotFiniteAreRefusedInOneLine() {
    Activations good = Rows.of("good", Rows.normal(1, 9, 4));
    Activations one = Rows.of("one.npz: feat", Rows.normal(1, 1, 4));
    assertThatThrownBy(() -> FrechetDistance.between(one, good, WORK))
        .isInstanceOf(RdmException.class)
        .hasMessage(
            "one.npz: feat: an unbiased covariance requires at least 2 images, but there are 1");
    for (int count : new int[] {4, 2000}) {
      double[][] rows = Rows.normal(1, count, 4);
      rows[count - 1][3] = Double.NaN;
      Activations bad = Rows.of("bad.npz: feat", rows);
      assertThatThrownBy(() -> FrechetDistance.between(good, bad, WORK))
          .isInstanceOf(RdmException.class)
          .hasMessage(
              "bad.npz: feat: row %s contains NaN, but activations must be finite", count - 1);
    }
    Activations longer = Rows.of("longer", Rows.normal(1, 9, 5));
    assertThatThrownBy(() -> FrechetDistance.between(good, longer, WORK))
        .isInstanceOf(RdmException.class)
        .hasMessage("cannot compare sets of different dimensions: good has 4, longer has 5");
  }

  @Test
  void differentDimensionsAreRefused() {
    try (Moments a = MomentsFile.ofActivations(Fixtures.SAMPLE, "feat");
        Moments b = MomentsFile.ofActivations(Fixtures.REFERENCE, "s_feat")) {
      assertThatThrownBy(() -> FrechetDistance.between(a, b))
          .isInstanceOf(RdmException.class)
          .hasMessage("cannot compare moments of 32 and 31 dimensions");
    }
  }
}
