// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.loading;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A LibTorch that cannot be loaded is one exception with one message at every call of anything, and
 * never an {@link ExceptionInInitializerError} or {@link NoClassDefFoundError}.
 */
class LoadFailureTest {
  private static final List<String> NATIVE = List.of("--enable-native-access=ALL-UNNAMED");

  @TempDir private Path folder;

  @Test
  void aFolderThatIsNotThereIsToldAtEveryCall() throws Exception {
    Path nowhere = folder.resolve("nowhere");
    everyCallSays(
        "RDM_LIBTORCH=%s: there is no such folder".formatted(nowhere),
        NATIVE,
        Map.of("RDM_LIBTORCH", nowhere.toString()));
  }

  @Test
  void aLibraryThatIsNoneIsToldAtEveryCall() throws Exception {
    Path library = folder.resolve(System.mapLibraryName("torch_cpu"));
    Files.writeString(library, "this is no library");
    everyCallSays(library + " cannot be loaded: ", NATIVE, Map.of("RDM_LIBTORCH", "" + folder));
  }

  @Test
  void anOptionThatIsMissingIsToldAtEveryCall() throws Exception {
    everyCallSays(
        "Java may not call native libraries here: start it with --enable-native-access=ALL-UNNAMED",
        List.of("--illegal-native-access=deny"),
        Map.of());
  }

  private void everyCallSays(String message, List<String> options, Map<String, String> environment)
      throws Exception {
    List<String> lines = ChildJvm.run(folder, EntryPointsMain.class, options, environment);

    assertThat(lines).noneMatch(line -> line.contains(" ERROR "));
    TreeSet<String> messages = new TreeSet<>();
    TreeSet<String> refused = new TreeSet<>();
    for (String line : lines) {
      int at = line.indexOf(" LOAD ");
      if (at > 0) {
        refused.add(line.substring(0, at));
        messages.add(line.substring(at + " LOAD ".length()));
      }
    }
    assertThat(messages).hasSize(1).allSatisfy(m -> assertThat(m).startsWith(message));
    assertThat(refused)
        .contains(
            "CudaPrecision.current",
            "Generator.global",
            "Generator.seeded",
            "GradMode.enableGrad",
            "GradMode.isEnabled",
            "GradMode.noGrad",
            "Operator.call",
            "Operator.named",
            "Torch.arange",
            "Torch.benchmarkCudnn",
            "Torch.cudaDeviceCount",
            "Torch.empty",
            "Torch.emptyStrided",
            "Torch.full",
            "Torch.library",
            "Torch.ones",
            "Torch.scalar",
            "Torch.tensor",
            "Torch.zeros");
    // Called twice, each gave the same answer twice.
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      assertThat(lines.stream().filter(line::equals).count()).as(line).isGreaterThan(1);
    }
  }
}
