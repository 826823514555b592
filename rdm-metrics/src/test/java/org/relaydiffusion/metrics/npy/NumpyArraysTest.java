// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.npy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.FileException;
import org.relaydiffusion.metrics.ActivationsFile;
import org.relaydiffusion.metrics.Feature;
import org.relaydiffusion.metrics.FrechetDistance;
import org.relaydiffusion.metrics.Moments;
import org.relaydiffusion.metrics.WorkOptions;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/** What numpy writes or reads is read alike: tests/fixtures/npy, made by numpy alone. */
class NumpyArraysTest {
  private static final Path FOLDER = Path.of(System.getProperty("rdm.fixtures"), "npy");

  private static Path file(String name) {
    return FOLDER.resolve(name + ".npz");
  }

  private static Moments moments(String name) {
    try (ActivationsFile file = ActivationsFile.open(file(name))) {
      return file.moments(Feature.POOL, "FID", WorkOptions.defaults());
    }
  }

  private static FrechetDistance fid(String name) {
    try (Moments samples = moments(name);
        Moments references = moments("feat")) {
      return FrechetDistance.between(samples, references);
    }
  }

  private static double[] rows(String name) {
    try (TensorScope _ = TensorScope.open();
        NpzFile file = NpzFile.open(file(name));
        NpyReader reader = file.array("feat")) {
      return reader.read(300).to(DType.FLOAT64).toDoubles();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "feat",
        "fortran_feat",
        "no_space",
        "python2_long",
        "other_quotes",
        "count_is_a_number",
        "count_is_uint16",
        "count_is_text",
        "fortran_sigma",
        "big_endian"
      })
  void statisticsAreThoseOfTheirActivations(String name) {
    assertThat(fid(name).distance()).isCloseTo(0, within(1e-10));
  }

  @Test
  void aCountIsANumberOrUnknown() {
    for (String name : new String[] {"count_is_a_number", "count_is_uint16"}) {
      try (ActivationsFile file = ActivationsFile.open(file(name))) {
        assertThat(file.count()).as(name).hasValue(300);
      }
    }
    try (ActivationsFile file = ActivationsFile.open(file("count_is_text"))) {
      assertThat(file.count()).isEmpty();
    }
  }

  @Test
  void halfPrecisionIsWidenedWithoutLoss() {
    double[] rounded =
        Arrays.stream(rows("feat"))
            .map(x -> Float.float16ToFloat(Float.floatToFloat16((float) x)))
            .toArray();
    assertThat(rows("float16")).isEqualTo(rounded);
    // Rounding to 11 bits moves a normal variable by about 2^-12: the distance is of its square.
    assertThat(fid("float16").distance()).isBetween(0.0, 1e-5);
  }

  @Test
  void aNegativeEigenvalueIsNamed() {
    Optional<String> warning = fid("indefinite").warning();
    // numpy.linalg.eigvalsh: -1.04853649 to 1.80423903.
    assertThat(warning.orElseThrow())
        .startsWith("the covariance of the samples has a negative eigenvalue")
        .contains("eigenvalues -1.05 to 1.80");
    assertThat(fid("no_space").warning()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "bool, UINT8",
    "int8, INT8",
    "int16, INT16",
    "int32, INT32",
    "int64, INT64",
    "uint8, UINT8",
    "uint16, INT32",
    "uint32, INT64",
    "uint64, INT64",
    "float16, FLOAT32",
    "float32, FLOAT32",
    "float64, FLOAT64"
  })
  void everyTypeAndOrderIsRead(String type, DType read) {
    double[] all =
        type.equals("bool") ? new double[] {0, 1, 1, 1, 1, 1} : new double[] {0, 1, 2, 3, 100, 120};
    try (NpzFile file = NpzFile.open(file("every_type"))) {
      for (String order : new String[] {"little", "big", "little_fortran", "big_fortran"}) {
        String name = type + "_" + order;
        try (TensorScope _ = TensorScope.open();
            NpyReader whole = file.array(name);
            NpyReader cut = file.array(name)) {
          assertThat(whole.dtype()).as(name).isEqualTo(read);
          assertThat(whole.shape()).containsExactly(3, 2);
          assertThat(whole.read(9).to(DType.FLOAT64).toDoubles()).as(name).isEqualTo(all);
          Tensor first = cut.read(1);
          cut.skip(1);
          Tensor last = cut.read(1);
          assertThat(Shapes.cat(List.of(first, last), 0).to(DType.FLOAT64).toDoubles())
              .as(name)
              .containsExactly(all[0], all[1], all[4], all[5]);
        }
      }
    }
  }

  @Test
  void aFileOfAnotherKindIsNamed() {
    Path single = FOLDER.resolve("single.npy");
    assertThatThrownBy(() -> ActivationsFile.open(single).close())
        .isInstanceOf(FileException.class)
        .hasMessage(
            single + ": is an .npy file, a single unnamed array: use np.savez to write an .npz");
    assertThatThrownBy(() -> ActivationsFile.open(file("adm_samples")).close())
        .isInstanceOf(FileException.class)
        .hasMessage(
            file("adm_samples")
                + ": contains images ('arr_0'), like ADM's samples, but no activations:"
                + " 'rdm evaluate activations --data' extracts them");
  }
}
