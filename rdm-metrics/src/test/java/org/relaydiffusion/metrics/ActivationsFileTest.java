// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.metrics.npy.NpzWriter;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

class ActivationsFileTest {
  private static final int SPATIAL = 7 * 17 * 17;

  @TempDir private Path folder;
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

  private Path write(NpzWriter.Content content) {
    Path path = folder.resolve("a.npz");
    NpzWriter.write(path, content);
    return path;
  }

  private static Tensor zeros(long... sizes) {
    return Torch.zeros(DType.FLOAT64, sizes);
  }

  private static void refused(Path path, String message) {
    assertThatThrownBy(() -> ActivationsFile.open(path).close())
        .isInstanceOf(FileException.class)
        .hasMessage(path + ": " + message);
  }

  @ParameterizedTest
  @EnumSource(Feature.class)
  void activationsAreReadInBlocksAndGiveTheReferencesMoments(Feature feature) {
    String mean = feature == Feature.POOL ? "mu_ref" : "s_mu_ref";
    try (ActivationsFile file = ActivationsFile.open(Fixtures.REFERENCE);
        Activations.Reader pass = file.activations(feature, "FID").open();
        Moments moments = file.moments(feature, "FID", WorkOptions.defaults())) {
      assertThat(file.count()).hasValue(160);
      assertThat(pass.read(7).shape()).containsExactly(7, feature == Feature.POOL ? 32 : 31);
      assertThat(pass.remainingRows()).isEqualTo(153);
      assertThat(moments.count()).hasValue(160);
      // As MomentsTest: float64 sums in another order; elements are of order 1.
      assertThat(moments.mean().toDoubles())
          .containsExactly(Fixtures.statistic(mean).toDoubles(), within(1e-13));
    }
  }

  @Test
  void theListenerHearsOfEveryRow() {
    List<Long> heard = new ArrayList<>();
    try (ActivationsFile file = ActivationsFile.open(Fixtures.REFERENCE);
        Moments _ =
            file.moments(
                Feature.POOL,
                "FID",
                WorkOptions.defaults()
                    .withListener((done, total) -> heard.addAll(List.of(done, total))))) {
      assertThat(heard).endsWith(160L, 160L);
    }
  }

  @Test
  void momentsWithAndWithoutTheirCount() {
    Tensor mu = Torch.tensor(new double[] {1, 2}, 2);
    Tensor sigma = Torch.tensor(new double[] {2, 1, 1, 2}, 2, 2);
    Path path =
        write(out -> {
          out.array("mu", mu);
          out.array("sigma", sigma);
        });
    try (ActivationsFile file = ActivationsFile.open(path);
        Moments moments = file.moments(Feature.POOL, "FID", WorkOptions.defaults())) {
      assertThat(file.count()).isEmpty();
      assertThat(moments.count()).isEmpty();
      assertThat(moments.covariance().toDoubles()).containsExactly(2, 1, 1, 2);
      assertThat(file.hasActivations(Feature.POOL)).isFalse();
      assertThat(file.hasMoments(Feature.POOL)).isTrue();
      assertThatThrownBy(() -> file.activations(Feature.POOL, "precision and recall"))
          .isInstanceOf(FileException.class)
          .hasMessage(
              path
                  + ": contains only moments, but activations ('feat') are required for precision"
                  + " and"
                  + " recall");
      assertThatThrownBy(() -> file.moments(Feature.SPATIAL, "sFID", WorkOptions.defaults()))
          .hasMessage(
              path
                  + ": has neither 's_feat' nor 's_mu' and 's_sigma', which are required"
                  + " for sFID");
      assertThatThrownBy(() -> file.activations(Feature.SPATIAL, "sFID"))
          .hasMessage(path + ": has no 's_feat', which is required for sFID");
    }
    write(out -> {
      out.array("mu", mu);
      out.array("sigma", sigma);
      out.array("s_mu", mu);
      out.array("s_sigma", sigma);
      out.array("count", Torch.tensor(new long[] {50_000}, 1));
    });
    try (ActivationsFile file = ActivationsFile.open(path);
        Moments moments = file.moments(Feature.SPATIAL, "sFID", WorkOptions.defaults())) {
      assertThat(file.count()).hasValue(50_000);
      assertThat(moments.count()).hasValue(50_000);
    }
  }

  /** Element (channel c, position p) has the value 1000 c + p. */
  private static double[] row(SpatialOrder order) {
    double[] row = new double[SPATIAL];
    for (int c = 0; c < 7; c++) {
      for (int p = 0; p < 289; p++) {
        row[order == SpatialOrder.CHANNELS_FIRST ? c * 289 + p : p * 7 + c] = 1000 * c + p;
      }
    }
    return row;
  }

  @Test
  void admsOrderOfSpatialFeaturesBecomesTheReferences() {
    double[] theirs = row(SpatialOrder.POSITIONS_FIRST);
    double[] ours = row(SpatialOrder.CHANNELS_FIRST);
    // The covariance of one direction: sigma[i, j] = x[i] x[j].
    Tensor x = Torch.tensor(theirs, SPATIAL, 1);
    Path path =
        write(out -> {
          out.array("arr_0", Torch.zeros(DType.UINT8, 2, 4, 4, 3));
          out.array("mu", zeros(3));
          out.array("sigma", zeros(3, 3));
          out.array("mu_s", Torch.tensor(theirs, SPATIAL));
          out.array("sigma_s", x.mul(x.reshape(1, SPATIAL)));
          out.array("s_feat_of_another", zeros(2, 2));
        });
    try (ActivationsFile file = ActivationsFile.open(path);
        Moments moments = file.moments(Feature.SPATIAL, "sFID", WorkOptions.defaults())) {
      assertThat(moments.mean().toDoubles()).isEqualTo(ours);
      double[] covariance = moments.covariance().toDoubles();
      for (int i = 0; i < SPATIAL; i += 101) {
        double[] expected = new double[SPATIAL];
        for (int j = 0; j < SPATIAL; j++) {
          expected[j] = ours[i] * ours[j];
        }
        assertThat(Arrays.copyOfRange(covariance, i * SPATIAL, (i + 1) * SPATIAL))
            .isEqualTo(expected);
      }
    }
    try (ActivationsFile file = ActivationsFile.open(path, SpatialOrder.CHANNELS_FIRST);
        Moments moments = file.moments(Feature.SPATIAL, "sFID", WorkOptions.defaults())) {
      assertThat(moments.mean().toDoubles()).isEqualTo(theirs);
    }
  }

  @Test
  void activationsInAdmsOrderAreTurnedToo() {
    double[] theirs = row(SpatialOrder.POSITIONS_FIRST);
    double[] ours = row(SpatialOrder.CHANNELS_FIRST);
    Path path =
        write(out ->
            out.array(
                "s_feat",
                DType.FLOAT32,
                new long[] {2, SPATIAL},
                rows -> {
                  rows.write(Torch.tensor(theirs, 1, SPATIAL));
                  rows.write(Torch.tensor(theirs, 1, SPATIAL));
                }));
    try (ActivationsFile file = ActivationsFile.open(path, SpatialOrder.POSITIONS_FIRST);
        Activations.Reader pass = file.activations(Feature.SPATIAL, "sFID").open()) {
      assertThat(pass.read(1).toDoubles()).isEqualTo(ours);
      assertThat(pass.read(9).toDoubles()).isEqualTo(ours);
    }
    Path small = write(out -> out.array("s_feat", zeros(2, 31)));
    try (ActivationsFile file = ActivationsFile.open(small, SpatialOrder.POSITIONS_FIRST);
        Activations.Reader pass = file.activations(Feature.SPATIAL, "sFID").open()) {
      assertThatThrownBy(() -> pass.read(1))
          .isInstanceOf(RdmException.class)
          .hasMessageContaining("[n, 2023], but found float64[1, 31]");
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = DType.class,
      names = {"FLOAT32", "FLOAT64"})
  void rowsThatAreNotFiniteAreNamed(DType dtype) {
    double[] values = new double[1500 * 3];
    values[1234 * 3 + 1] = Double.NaN;
    values[1300 * 3] = Double.POSITIVE_INFINITY;
    Path path =
        write(out ->
            out.array(
                "feat",
                dtype,
                new long[] {1500, 3},
                rows -> rows.write(Torch.tensor(values, 1500, 3))));
    try (ActivationsFile file = ActivationsFile.open(path);
        Activations.Reader pass = file.activations(Feature.POOL, "FID").open()) {
      assertThat(pass.read(1234).size(0)).isEqualTo(1234);
      assertThatThrownBy(() -> pass.read(60))
          .hasMessage(path + ": array 'feat' has NaN or infinite elements in row 1234");
      assertThatThrownBy(() -> file.moments(Feature.POOL, "FID", WorkOptions.defaults()))
          .isInstanceOf(FileException.class)
          .hasMessage(path + ": array 'feat' has NaN or infinite elements in row 1234");
    }
  }

  @Test
  void filesOfOtherThingsAreRefusedInOneLine() {
    refused(
        write(out -> out.array("arr_0", zeros(1))),
        "contains neither activations ('feat') nor moments ('mu' and 'sigma'), only: arr_0");
    refused(
        write(_ -> {}),
        "contains neither activations ('feat') nor moments ('mu' and 'sigma'), only: nothing");
    refused(
        write(out -> out.array("mu", zeros(2))),
        "contains neither activations ('feat') nor moments ('mu' and 'sigma'), only: mu");
    refused(
        write(out -> out.array("feat", zeros(2))),
        "array 'feat' is float64[2], but float32 or float64[any, any] was expected");
    refused(
        write(out -> out.array("feat", Torch.zeros(DType.INT64, 2, 2))),
        "array 'feat' is int64[2, 2], but float32 or float64[any, any] was expected");
    refused(write(out -> out.array("feat", zeros(0, 2))), "array 'feat' has no rows");
    refused(
        write(out -> out.array("feat", zeros(1, 9000))),
        "array 'feat' has 9000 dimensions, but the maximum is 8192");
    refused(
        write(out -> {
          out.array("feat", zeros(3, 2));
          out.array("s_feat", zeros(4, 2));
        }),
        "array 'feat' has 3 images, but 's_feat' has 4");
    refused(
        write(out -> {
          out.array("mu", zeros(3));
          out.array("sigma", zeros(2, 2));
        }),
        "array 'sigma' is float64[2, 2], but float32 or float64[3, 3] was expected");
    refused(
        write(out -> {
          out.array("feat", zeros(3, 2));
          out.array("count", Torch.tensor(new long[] {4}, 1));
        }),
        "array 'count' is 4, but there are 3 rows");
    refused(
        write(out -> {
          out.array("mu", zeros(1));
          out.array("sigma", zeros(1, 1));
          out.array("count", Torch.tensor(new long[] {-4}, 1));
        }),
        "array 'count' is -4, but it must be at least 1");
  }

  @Test
  void tooFewImagesForACovariance() {
    Path path = write(out -> out.array("feat", zeros(1, 2)));
    try (ActivationsFile file = ActivationsFile.open(path)) {
      assertThat(file.count()).hasValue(1);
      assertThatThrownBy(() -> file.moments(Feature.POOL, "FID", WorkOptions.defaults()))
          .isInstanceOf(RdmException.class)
          .hasMessage(
              path + " 'feat': an unbiased covariance requires at least 2 images, but there are 1");
    }
  }

  @Test
  void aFileCutOrDamagedAnywhereIsOneLine() throws IOException {
    Path path =
        write(out -> {
          out.array("feat", Torch.ones(DType.FLOAT64, 3, 2));
          out.array("s_feat", Torch.ones(DType.FLOAT64, 3, 1));
        });
    byte[] whole = Files.readAllBytes(path);
    for (int at = 0; at < whole.length; at++) {
      Files.write(path, Arrays.copyOf(whole, at));
      readOrRefuse(path);
      byte[] damaged = whole.clone();
      damaged[at] ^= 0x41;
      Files.write(path, damaged);
      readOrRefuse(path);
    }
  }

  /** Some bytes matter to nobody, such as a date; where one does, it is one line of ours. */
  private static void readOrRefuse(Path path) {
    try (ActivationsFile file = ActivationsFile.open(path);
        Moments moments = file.moments(Feature.POOL, "FID", WorkOptions.defaults())) {
      assertThat(moments.mean().toDoubles()).containsExactly(1, 1);
    } catch (FileException e) {
      assertThat(e.getMessage()).startsWith(path.toString()).hasLineCount(1);
    }
  }
}
