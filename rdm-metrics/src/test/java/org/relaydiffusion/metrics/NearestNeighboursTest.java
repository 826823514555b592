// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.TensorScope;

class NearestNeighboursTest {
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

  @ParameterizedTest
  @CsvSource({"1, 512, 1000", "5, 7, 14", "5, 1, 1", "80, 16, 8"})
  void theyAreTheNearestByFloat64AndThenByNumber(int k, int block, int panel) {
    // Small whole numbers, so that many are equally far away.
    double[][] queries = Rows.whole(1, 30, 3, 4);
    double[][] rows = Rows.whole(2, 80, 3, 4);
    List<List<NearestNeighbours.Neighbour>> found =
        NearestNeighbours.of(
            Rows.of("queries", queries),
            Rows.of("rows", rows),
            k,
            WORK,
            new BlockPairs.Plan(block, panel));
    assertThat(found).hasSize(30);
    for (int q = 0; q < queries.length; q++) {
      double[] query = queries[q];
      assertThat(found.get(q))
          .isEqualTo(
              BruteForce.nearest(query, rows, k).stream()
                  .map(i ->
                      new NearestNeighbours.Neighbour(
                          i, Math.sqrt(BruteForce.squaredDistance(query, rows[i]))))
                  .toList());
    }
  }

  @Test
  void aCommonOffsetHidesNobody() {
    double[][] rows = Rows.map(Rows.normal(1, 300, 40), x -> 1e-4 * x + 1e6);
    double[][] queries = Rows.map(Rows.normal(2, 20, 40), x -> 1e-4 * x + 1e6);
    List<List<NearestNeighbours.Neighbour>> found =
        NearestNeighbours.of(Rows.of("queries", queries), Rows.of("rows", rows), 3, WORK);
    for (int q = 0; q < queries.length; q++) {
      List<Integer> expected = BruteForce.nearest(queries[q], rows, 3);
      for (int rank = 0; rank < 3; rank++) {
        assertThat(found.get(q).get(rank).row()).isEqualTo((long) expected.get(rank));
        double distance =
            Math.sqrt(BruteForce.squaredDistance(queries[q], rows[expected.get(rank)]));
        // Sums of 40 squares in another order.
        assertThat(found.get(q).get(rank).distance()).isCloseTo(distance, within(1e-14 * distance));
      }
    }
  }

  @Test
  void aRowIsItsOwnNearest() {
    Activations rows = Rows.of("rows", Rows.normal(1, 40, 8));
    List<List<NearestNeighbours.Neighbour>> found = NearestNeighbours.of(rows, rows, 2, WORK);
    for (int row = 0; row < 40; row++) {
      assertThat(found.get(row).getFirst()).isEqualTo(new NearestNeighbours.Neighbour(row, 0));
      assertThat(found.get(row).getLast().distance()).isPositive();
    }
  }

  @Test
  void whatCannotBeFoundIsRefusedInOneLine() {
    Activations rows = Rows.of("rows", Rows.normal(1, 4, 8));
    Activations other = Rows.of("other", Rows.normal(1, 4, 9));
    assertThatThrownBy(() -> NearestNeighbours.of(rows, rows, 5, WORK))
        .isInstanceOf(RdmException.class)
        .hasMessage("rows: 5 nearest images were requested, but there are only 4");
    assertThatThrownBy(() -> NearestNeighbours.of(rows, rows, 0, WORK))
        .isInstanceOf(OptionException.class);
    assertThatThrownBy(() -> NearestNeighbours.of(rows, other, 1, WORK))
        .isInstanceOf(RdmException.class)
        .hasMessage("cannot compare sets of different dimensions: rows has 8, other has 9");
  }
}
