// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.TensorScope;

class PrecisionRecallTest {
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

  /** Two sets to compare. */
  record Sets(double[][] samples, double[][] references) {
    PrecisionRecall quick(int k, WorkOptions work, BlockPairs.Plan plan) {
      return PrecisionRecall.of(
          Rows.of("samples", samples), Rows.of("references", references), k, work, plan);
    }

    PrecisionRecall exact(int k) {
      return BruteForce.precisionRecall(samples, references, k);
    }
  }

  private static double[][] fixture(Path file) {
    try (TensorScope _ = TensorScope.open()) {
      return Rows.of(Fixtures.rows(file, "feat"));
    }
  }

  private static void check(PrecisionRecall found, double precision, double recall) {
    assertThat(found.precision()).isEqualTo(precision);
    assertThat(found.recall()).isEqualTo(recall);
  }

  @ParameterizedTest
  @CsvSource({"512, 1000000, 1", "37, 41, 2", "64, 64, 3", "1, 1, 2"})
  void activationFilesHaveTheReferencesScores(int block, long panel, int threads) {
    // metrics/fid_pr: counts of rows, which are equal or wrong.
    Activations samples = Activations.of("samples", Fixtures.rows(Fixtures.SAMPLE, "feat"));
    Activations references =
        Activations.of("references", Fixtures.rows(Fixtures.REFERENCE, "feat"));
    PrecisionRecall found =
        PrecisionRecall.of(
            samples,
            references,
            PrecisionRecall.DEFAULT_K,
            WORK.withThreads(threads),
            new BlockPairs.Plan(block, panel));
    check(found, Fixtures.expected("precision"), Fixtures.expected("recall"));
    assertThat(found.samples()).isEqualTo(120);
    assertThat(found.references()).isEqualTo(160);
  }

  @Test
  void activationFilesHaveTheReferencesRadiiToTheBit() {
    for (String set : List.of("sample", "ref")) {
      Path file = Fixtures.path("metrics/fid_pr/" + set + ".npz");
      Activations rows = Activations.of(set, Fixtures.rows(file, "feat"));
      try (Workers workers = new Workers(WORK)) {
        BlockPairs pairs =
            new BlockPairs(
                new BlockPairs.Plan(32, 64), workers, new ProgressMeter(WorkListener.NONE, 1));
        Float32View view = Float32View.of(Survey.of(rows, workers));
        assertThat(PrecisionRecall.radii(rows, view, 3, pairs))
            .isEqualTo(Fixtures.radii("radii_" + set).toFloats());
      }
    }
  }

  @Test
  void oddSetsHaveTheReferencesScores() {
    double[][] samples = fixture(Fixtures.SAMPLE);
    double[][] references = fixture(Fixtures.REFERENCE);
    double[][] ten = Arrays.copyOf(samples, 10);
    double[][] fourTimes = Rows.join(Rows.join(ten, ten), Rows.join(ten, ten));
    BlockPairs.Plan plan = BlockPairs.Plan.of(32);
    double[] expected = Fixtures.expectedPair("pr_sample_is_first10_four_times");
    check(new Sets(fourTimes, references).quick(3, WORK, plan), expected[0], expected[1]);
    double[][] twenty = Arrays.copyOf(references, 20);
    expected = Fixtures.expectedPair("pr_ref20_against_itself");
    check(new Sets(twenty, twenty).quick(3, WORK, plan), expected[0], expected[1]);
    Sets few = new Sets(Arrays.copyOf(samples, 5), Arrays.copyOf(references, 6));
    expected = Fixtures.expectedPair("pr_ref6_sample5");
    check(few.quick(3, WORK, plan), expected[0], expected[1]);
  }

  /** What float32 would get wrong, or where it cannot be sure of anything. */
  static Stream<Named<Sets>> hardSets() {
    double[][] a = Rows.normal(1, 60, 24);
    double[][] b = Rows.normal(2, 45, 24);
    List<double[]> shuffled = new ArrayList<>(List.of(a));
    Collections.shuffle(shuffled, new Random(5));
    double[][] whole = Rows.whole(3, 70, 6, 3);
    double[][] otherWhole = Rows.whole(4, 50, 6, 3);
    double[][] spread = Rows.map(a, x -> Math.scalb(x, (int) (40 * Math.sin(1e3 * x))));
    double[][] far = Rows.join(a, Rows.map(b, x -> x * 1e-3 + 1e9));
    return Stream.of(
        Named.of("normal rows", new Sets(a, b)),
        Named.of("the same rows in another order", new Sets(shuffled.toArray(double[][]::new), a)),
        Named.of("whole numbers, with many ties", new Sets(whole, otherWhole)),
        Named.of(
            "ties at a large offset",
            new Sets(Rows.map(whole, x -> x + 0x1p40), Rows.map(otherWhole, x -> x + 0x1p40))),
        Named.of(
            "ties that float32 rounds apart",
            new Sets(Rows.map(whole, x -> 0.1 * x), Rows.map(otherWhole, x -> 0.1 * x))),
        Named.of("every row five times", new Sets(times(5, a), times(5, b))),
        Named.of("one row only", new Sets(times(60, Arrays.copyOf(a, 1)), b)),
        Named.of("zeros", new Sets(new double[9][4], new double[8][4])),
        Named.of("a large common offset", sets(a, b, x -> x * 1e-3 + 1e8)),
        Named.of("offsets of their own", new Sets(Rows.map(a, x -> x - 1e7), b)),
        Named.of("two far clusters", new Sets(far, Rows.map(far, x -> x + 1e-4))),
        Named.of("elements of many sizes", new Sets(spread, Rows.map(spread, x -> 1.001 * x))),
        Named.of("tiny", sets(a, b, x -> x * 1e-18)),
        Named.of("radii that underflow in float32", sets(a, b, x -> x * 1e-23)),
        Named.of("squares that underflow in float64", sets(a, b, x -> x * 1e-162)),
        Named.of("subnormal", sets(a, b, x -> x * 1e-310)),
        Named.of("huge", sets(a, b, x -> x * 1e17)),
        Named.of("radii that overflow in float32", sets(a, b, x -> x * 1e25)),
        Named.of("squares that overflow in float64", sets(a, b, x -> x * 1e200)),
        Named.of("the largest numbers", sets(a, b, x -> Math.signum(x) * Double.MAX_VALUE)),
        Named.of("huge beside small", new Sets(Rows.join(a, Rows.map(a, x -> x * 1e30)), b)),
        Named.of(
            "coming closer", new Sets(approaching(80), Rows.map(approaching(70), x -> 1.5 * x))));
  }

  private static Sets sets(double[][] a, double[][] b, DoubleUnaryOperator change) {
    return new Sets(Rows.map(a, change), Rows.map(b, change));
  }

  private static double[][] times(int times, double[][] rows) {
    double[][] all = new double[times * rows.length][];
    Arrays.setAll(all, i -> rows[i % rows.length]);
    return all;
  }

  /** Each row is nearer to all that follow than to any before. */
  private static double[][] approaching(int count) {
    double[][] rows = new double[count][3];
    for (int i = 0; i < count; i++) {
      rows[i][i % 3] = Math.scalb(1.0, count - i);
    }
    return rows;
  }

  @ParameterizedTest
  @MethodSource("hardSets")
  void hardSetsAreDecidedAsByFloat64Alone(Sets sets) {
    for (int k : new int[] {1, 3, 5}) {
      PrecisionRecall exact = sets.exact(k);
      assertThat(sets.quick(k, WORK, BlockPairs.Plan.of(24))).isEqualTo(exact);
      assertThat(sets.quick(k, WORK, new BlockPairs.Plan(16, 32))).isEqualTo(exact);
      assertThat(sets.quick(k, WORK.withThreads(3), new BlockPairs.Plan(7, 1))).isEqualTo(exact);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void randomSetsOfAnyShapeAreDecidedAsByFloat64Alone(int seed) {
    int dimensions = 1 + seed * seed % 11;
    Sets sets =
        new Sets(
            Rows.normal(seed, 20 + 13 * seed, dimensions),
            Rows.map(Rows.normal(-seed, 90 - 7 * seed, dimensions), x -> 1.3 * x + 0.2));
    int k = 1 + seed % 4;
    assertThat(sets.quick(k, WORK, new BlockPairs.Plan(1 + 3 * seed, 40))).isEqualTo(sets.exact(k));
  }

  @Test
  void float32ActivationsAreTakenAsTheyAre() {
    double[][] samples = Rows.normal(1, 40, 8);
    double[][] references = Rows.normal(2, 50, 8);
    Activations a = Activations.of("a", Rows.tensor(samples).to(DType.FLOAT32));
    Activations b = Activations.of("b", Rows.tensor(references).to(DType.FLOAT32));
    assertThat(PrecisionRecall.of(a, b, 3, WORK))
        .isEqualTo(
            BruteForce.precisionRecall(
                Rows.map(samples, x -> (float) x), Rows.map(references, x -> (float) x), 3));
  }

  @Test
  void progressGrowsToTheEnd() {
    List<Long> done = new ArrayList<>();
    List<Long> totals = new ArrayList<>();
    WorkListener listener =
        (at, total) -> {
          done.add(at);
          totals.add(total);
        };
    Sets sets = new Sets(Rows.normal(1, 50, 4), Rows.normal(2, 33, 4));
    sets.quick(3, WORK.withListener(listener), new BlockPairs.Plan(8, 16));
    assertThat(done).isSorted().doesNotHaveDuplicates();
    assertThat(totals).containsOnly(done.getLast());
  }

  @Test
  void cancellingEndsTheWork() {
    Cancellation cancellation = new Cancellation();
    WorkOptions work =
        WORK.withCancellation(cancellation).withListener((_, _) -> cancellation.cancel());
    Sets sets = new Sets(Rows.normal(1, 200, 4), Rows.normal(2, 200, 4));
    assertThatThrownBy(() -> sets.quick(3, work, new BlockPairs.Plan(4, 16)))
        .isInstanceOf(CancelledException.class);
  }

  @Test
  void whatAListenerThrowsEndsTheWork() {
    WorkOptions work =
        WORK.withListener((_, _) -> {
          throw new IllegalStateException("enough");
        });
    Sets sets = new Sets(Rows.normal(1, 50, 4), Rows.normal(2, 50, 4));
    assertThatThrownBy(() -> sets.quick(3, work, new BlockPairs.Plan(4, 16)))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("enough");
  }

  @Test
  void whatCannotBeComparedIsRefusedInOneLine() {
    Activations few = Rows.of("few.npz: feat", Rows.normal(1, 3, 4));
    Activations many = Rows.of("many.npz: feat", Rows.normal(1, 9, 4));
    Activations longer = Rows.of("longer.npz: feat", Rows.normal(1, 9, 5));
    assertThatThrownBy(() -> PrecisionRecall.of(many, few, 3, WORK))
        .isInstanceOf(RdmException.class)
        .hasMessage(
            "few.npz: feat: precision and recall with --k 3 require at least 4 images,"
                + " but there are 3");
    assertThatThrownBy(() -> PrecisionRecall.of(many, longer, 3, WORK))
        .isInstanceOf(RdmException.class)
        .hasMessage(
            "cannot compare sets of different dimensions: many.npz: feat has 4,"
                + " longer.npz: feat has 5");
    assertThatThrownBy(() -> PrecisionRecall.of(many, many, 0, WORK))
        .isInstanceOf(OptionException.class)
        .hasMessage("--k must be at least 1, but is 0");
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY})
  void activationsThatAreNotFiniteAreRefusedByRow(double value) {
    double[][] rows = Rows.normal(1, 700, 4);
    rows[613][2] = value;
    Activations good = Rows.of("good", Rows.normal(2, 9, 4));
    Activations bad = Rows.of("bad.npz: feat", rows);
    assertThatThrownBy(() -> PrecisionRecall.of(good, bad, 3, WORK))
        .isInstanceOf(RdmException.class)
        .hasMessage("bad.npz: feat: row 613 contains %s, but activations must be finite", value);
  }
}
