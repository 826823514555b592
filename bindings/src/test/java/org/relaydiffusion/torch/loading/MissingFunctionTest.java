// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.loading;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.nativeconfig.LibTorch;

/**
 * A function that a LibTorch lacks is told, by its name and the library's, at each call of what
 * needs it, and takes nothing else with it. The library is a copy of the real one in which some
 * functions have other names.
 */
@EnabledOnOs(OS.LINUX)
class MissingFunctionTest {
  private static final Map<String, String> MISSING =
      Map.of(
          "precision", "_ZN2at7Context27setAllowFP16ReductionCuBLASEbb",
          "randint", "aoti_torch_cpu_randint_generator",
          "restore", "_ZN2at9Generator9set_stateERKNS_6TensorE",
          "requiresGrad", "torch_set_requires_grad",
          "chunk", "torch_list_get_item");
  private static final String OPTIONAL = "aoti_torch_cpu_mkldnn__convolution_pointwise";
  private static final List<String> WORKS =
      List.of(
          "tf32",
          "otherPrecisions",
          "benchmarkCudnn",
          "randn",
          "state",
          "threads",
          "noGrad",
          "sum",
          "convolution");

  @TempDir private Path folder;

  @Test
  void whatNeedsAMissingFunctionSaysSoAndTheRestWorks() throws Exception {
    Path given = Files.createDirectory(folder.resolve("given"));
    Path operators = Files.copy(library("libtorch_cpu.so"), given.resolve("libtorch_cpu.so"));
    renameFunctions(operators);
    Path core = Files.createSymbolicLink(given.resolve("libc10.so"), library("libc10.so"));
    String dependencies =
        library("libopenblas.so.0").getParent() + ":" + library("libgomp.so.1").getParent();

    List<String> lines =
        ChildJvm.run(
            folder,
            MissingFunctionsMain.class,
            List.of("--enable-native-access=ALL-UNNAMED"),
            Map.of("RDM_LIBTORCH", given.toString(), "LD_LIBRARY_PATH", dependencies));

    // By hand, or the folder's deletion would warn of a link that leads out of it.
    Files.delete(core);
    String library = "%s (LibTorch %s)".formatted(operators, LibTorch.load().version());
    assertThat(lines).hasSize(2 * (MISSING.size() + WORKS.size()));
    MISSING.forEach((call, function) -> {
      String line = "%s lacks: %s lacks the function %s".formatted(call, library, function);
      assertThat(lines.stream().filter(line::equals)).as("%s in %s", line, lines).hasSize(2);
    });
    WORKS.forEach(call ->
        assertThat(lines.stream().filter((call + " works")::equals))
            .as("%s in %s", call, lines)
            .hasSize(2));
  }

  private static Path library(String name) {
    return LibTorch.load().files().stream().filter(f -> f.endsWith(name)).findFirst().orElseThrow();
  }

  /**
   * Changes the last letter of each name in the table of names. The library itself refers to none
   * of these functions, so that it can still be linked.
   */
  private static void renameFunctions(Path library) throws IOException {
    List<byte[]> names =
        Stream.concat(MISSING.values().stream(), Stream.of(OPTIONAL))
            .map(name -> ("\0" + name + "\0").getBytes(StandardCharsets.US_ASCII))
            .toList();
    int renamed = 0;
    try (FileChannel channel =
        FileChannel.open(library, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      ByteBuffer bytes = channel.map(FileChannel.MapMode.READ_WRITE, 0, channel.size());
      for (int i = 0; i < bytes.capacity() - 1; i++) {
        if (bytes.get(i) == 0 && bytes.get(i + 1) != 0) {
          for (byte[] name : names) {
            if (isAt(bytes, i, name)) {
              bytes.put(i + name.length - 2, (byte) '_');
              renamed++;
            }
          }
        }
      }
    }
    assertThat(renamed).isGreaterThanOrEqualTo(names.size());
  }

  private static boolean isAt(ByteBuffer bytes, int from, byte[] name) {
    if (from + name.length > bytes.capacity()) {
      return false;
    }
    for (int i = 0; i < name.length; i++) {
      if (bytes.get(from + i) != name[i]) {
        return false;
      }
    }
    return true;
  }
}
