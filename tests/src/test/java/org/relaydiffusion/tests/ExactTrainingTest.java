// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.NativeThreads;
import org.relaydiffusion.tests.exact.ExactCase;
import org.relaydiffusion.tests.exact.ExactResult;
import org.relaydiffusion.torch.Torch;

/**
 * Training with exact numerics is the official code's: to the bit on the LibTorch and the kernels
 * that it was recorded with, and by its losses everywhere.
 */
class ExactTrainingTest {
  private static final Path FIXTURES =
      Path.of(System.getProperty("rdm.fixtures")).resolve("training_exact");

  /** Where other kernels round otherwise; the losses of six steps show a wrong formula above it. */
  private static final double TOLERANCE = 1e-4;

  private static int threads;

  @TempDir private Path folder;

  @BeforeAll
  static void oneThread() {
    threads = NativeThreads.threads();
    NativeThreads.setThreads(1);
  }

  @AfterAll
  static void asManyThreadsAsBefore() {
    NativeThreads.setThreads(threads);
  }

  static List<ExactCase> cases() {
    return ExactCase.all(FIXTURES);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyStepHasTheOfficialLossAndTheStateTheOfficialTensors(ExactCase official) {
    ExactResult ours = ExactResult.of(official, folder);
    assertThat(ours.losses()).hasSameSizeAs(official.losses());
    for (int step = 0; step < official.losses().size(); step++) {
      double loss = official.losses().get(step);
      assertThat(ours.losses().get(step))
          .as("loss of step %s", step)
          .isCloseTo(loss, within(TOLERANCE * loss));
    }
    assertThat(ours.hashes()).containsOnlyKeys(official.hashes().keySet());
  }

  @ParameterizedTest
  @MethodSource("cases")
  void onTheRecordedLibTorchEveryTensorHasTheOfficialBits(ExactCase official) {
    String why = whyNotTheRecordedOne(System::getenv);
    assumeTrue(why.isEmpty(), why);
    assertThat(ExactResult.of(official, folder).differences(official)).isEmpty();
  }

  /** Empty where the library and its kernels are those of the fixtures' README. */
  private static String whyNotTheRecordedOne(UnaryOperator<String> environment) {
    LibTorch.Version version = Torch.library().version();
    if (!version.equals(new LibTorch.Version(2, 14, 1))
        || environment.apply("RDM_LIBTORCH") == null) {
      return "recorded with Debian's LibTorch 2.14.1 (RDM_LIBTORCH), but this is " + version;
    }
    Map<String, String> kernels = new LinkedHashMap<>();
    kernels.put("OPENBLAS_CORETYPE", "Haswell");
    kernels.put("ATEN_CPU_CAPABILITY", "avx2");
    kernels.put("ONEDNN_MAX_CPU_ISA", "AVX2");
    for (Map.Entry<String, String> kernel : kernels.entrySet()) {
      if (!kernel.getValue().equals(environment.apply(kernel.getKey()))) {
        return "recorded with %s=%s: see tests/exact-training"
            .formatted(kernel.getKey(), kernel.getValue());
      }
    }
    return "";
  }
}
