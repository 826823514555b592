// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.nativeconfig.Settings.Change;

/** An embedding program decides what loading LibTorch changes in its process. */
class SettingsTest {
  private static final Path HUGE_PAGES = Path.of("/sys/kernel/mm/transparent_hugepage/enabled");

  @TempDir Path folder;

  @Test
  void settingsAreASetOfChangesInAFixedOrder() {
    Settings two = Settings.of(Change.HUGE_PAGES, Change.ONE_BLAS_THREAD);
    assertThat(two).hasToString("[ONE_BLAS_THREAD, HUGE_PAGES]");
    assertThat(Settings.NONE.with(Change.HUGE_PAGES).with(Change.ONE_BLAS_THREAD)).isEqualTo(two);
    assertThat(Settings.APPLICATION.without(Change.values())).isEqualTo(Settings.NONE);
    assertThat(Settings.APPLICATION.changes()).containsExactly(Change.values());
    assertThat(Settings.DEFAULT.has(Change.KEEP_MEMORY)).isFalse();
    assertThatThrownBy(() -> Settings.NONE.changes().add(Change.HUGE_PAGES))
        .isInstanceOf(UnsupportedOperationException.class);
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void noneChangesNothing() throws Exception {
    assumeTrue(Runtime.getRuntime().availableProcessors() > 1, "OpenBLAS takes a thread a core");
    assertThat(changed("NONE")).isEqualTo("spin=- huge=- level=1 blas=2 cores=2");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void whereNothingWasChosenOnlyLibTorchIsChanged() throws Exception {
    assertThat(changed("-")).isEqualTo("spin=- huge=- level=2 blas=1 cores=2");
    assertThat(changed("-")).isEqualTo(changed("DEFAULT"));
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void anApplicationChangesTheProcess() throws Exception {
    String huge = Files.exists(HUGE_PAGES) ? "1" : "-";
    assertThat(changed("APPLICATION"))
        .isEqualTo("spin=1000 huge=" + huge + " level=2 blas=1 cores=2");
  }

  @Test
  void otherSettingsAfterLoadingAreRefusedNamingBoth() throws Exception {
    assertThat(lines("DEFAULT").subList(1, 4))
        .containsExactly(
            "refused LibTorch is loaded already, with the settings"
                + " [ONE_BLAS_THREAD, USABLE_CORES, CAPTURE_ERRORS]; [] come too late:"
                + " choose them before anything uses LibTorch",
            "loaded " + Settings.DEFAULT,
            "refused LibTorch is loaded already, with the settings %s; %s come too late:"
                    .formatted(Settings.DEFAULT, Settings.APPLICATION)
                + " choose them before anything uses LibTorch");
  }

  private String changed(String settings) throws Exception {
    return lines(settings).getFirst();
  }

  private List<String> lines(String settings) throws Exception {
    ChildJvm.Outcome outcome =
        ChildJvm.run(
            folder, SettingsMain.class, List.of(), Map.of("OMP_NUM_THREADS", "2"), settings);
    assertThat(outcome.code()).as("%s", outcome).isZero();
    assertThat(outcome.err()).isEmpty();
    return outcome.out().lines().toList();
  }
}
