// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every LibTorch that cannot be used is refused in one line, twice alike, and never with a crash.
 */
class LibTorchLoadTest {
  private static final String CPU = System.mapLibraryName("torch_cpu");

  @TempDir Path folder;

  @Test
  void theBundledOneLoadsWhereNothingIsChosen() throws Exception {
    assertThat(load(Map.of())).isEqualTo("loaded the bundled LibTorch");
  }

  @Test
  void aFolderThatIsNotThereIsNamed() throws Exception {
    Path nowhere = folder.resolve("nowhere");
    assertThat(given(nowhere))
        .isEqualTo("refused RDM_LIBTORCH=%s: there is no such folder".formatted(nowhere));
  }

  @Test
  void aFolderWithoutLibTorchIsNamedWithWhatIsLookedFor() throws Exception {
    assertThat(given(folder))
        .startsWith("refused RDM_LIBTORCH=%s: %s was not found in it".formatted(folder, CPU));
  }

  @Test
  void theSystemPropertyWinsOverTheVariable() throws Exception {
    Path nowhere = folder.resolve("by_property");
    assertThat(
            load(
                List.of("-Drdm.libtorch=" + nowhere),
                Map.of(LibTorchSource.ENVIRONMENT_VARIABLE, folder.toString())))
        .isEqualTo("refused rdm.libtorch=%s: there is no such folder".formatted(nowhere));
  }

  @Test
  void aFileThatIsNoLibraryIsRefusedInTheLoadersWords() throws Exception {
    Files.writeString(folder.resolve(CPU), "this is no library");
    assertThat(given(folder))
        .startsWith("refused " + folder.resolve(CPU) + " cannot be loaded: ")
        .doesNotContain("no reason given");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aLibraryThatLacksAnotherIsRefusedNamingThatOne() throws Exception {
    // It needs libc10 and others, which are not beside it, nor in the process.
    Path cpu = Files.createSymbolicLink(folder.resolve(CPU), bundled("torch_cpu"));
    assertThat(given(folder))
        // Behind the name come the system's words, in the language of the user.
        .matches("refused \\Q%s\\E cannot be loaded: lib[^:]+\\.so[^:]*: .+".formatted(cpu));
    Files.delete(cpu);
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aLibraryThatIsCutShortIsRefusedInsteadOfEndingTheProcess() throws Exception {
    byte[] whole = Files.readAllBytes(bundled("c10"));
    Files.write(folder.resolve(CPU), Arrays.copyOf(whole, whole.length / 2));
    assertThat(given(folder))
        .startsWith("refused %s is truncated: it has ".formatted(folder.resolve(CPU)));
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aLibraryThatIsShorterThanItsHeaderIsRefusedInTheLoadersWords() throws Exception {
    byte[] whole = Files.readAllBytes(bundled("c10"));
    Path cpu = Files.write(folder.resolve(CPU), Arrays.copyOf(whole, 40));
    assertThat(given(folder))
        // Behind the file's name come the system's words, in the language of the user.
        .matches("refused \\Q%s\\E cannot be loaded: \\Q%s\\E: .+".formatted(cpu, cpu))
        .doesNotContain("no reason given");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aLibTorchFromBeforeTheStableAbiIsTooOld() throws Exception {
    // Any library without the ABI's functions will do: it is asked for nothing else.
    Files.copy(bundled("c10"), folder.resolve(CPU));
    assertThat(given(folder))
        .isEqualTo(
            "refused RDM_LIBTORCH=%s is a LibTorch without the stable C ABI;".formatted(folder)
                + " 2.10.0 or newer is needed");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aSecondLibTorchIsNotLetIntoTheProcess() throws Exception {
    Path other = Files.copy(bundled("c10"), folder.resolve("libc10.so.9.9"));
    assertThat(load(List.of(), Map.of(), other.toString()))
        .isEqualTo(
            "refused another LibTorch is already loaded in this process (%s),"
                    .formatted(other.toRealPath())
                + " which cannot also load the bundled LibTorch");
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void aPythonEnvironmentAndNamesWithVersionsAreUnderstood() throws Exception {
    Path lib = folder.resolve("lib/python3.13/site-packages/torch/lib");
    Files.createDirectories(lib);
    Path c10 = Files.createSymbolicLink(lib.resolve("libc10.so.2.10"), bundled("c10"));
    Path cpu = Files.createSymbolicLink(lib.resolve("libtorch_cpu.so.2.10"), bundled("torch_cpu"));
    String dependencies = bundled("openblas").getParent() + ":" + bundled("gomp").getParent();
    assertThat(
            load(
                Map.of(
                    LibTorchSource.ENVIRONMENT_VARIABLE,
                    folder.toString(),
                    "LD_LIBRARY_PATH",
                    dependencies)))
        .isEqualTo("loaded RDM_LIBTORCH=" + lib);
    Files.delete(c10);
    Files.delete(cpu);
  }

  @Test
  void withoutNativeAccessTheFlagIsNamed() throws Exception {
    assertThat(load(List.of("--illegal-native-access=deny"), Map.of()))
        .isEqualTo(
            "refused Java may not call native libraries here: start it with"
                + " --enable-native-access=ALL-UNNAMED");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "3", "1024"})
  void theUsersNumberOfThreadsStands(String asked) throws Exception {
    assertThat(threads(asked)).isEqualTo(asked);
  }

  /** OpenMP would overrun the stack at the first operator. */
  @Test
  void aNumberOfThreadsThatEndsTheProcessIsNotTaken() throws Exception {
    String cores = Integer.toString(Runtime.getRuntime().availableProcessors());
    assertThat(threads("1025")).isEqualTo(cores);
    assertThat(threads("200000")).isEqualTo(cores);
  }

  private String threads(String variable) throws Exception {
    ChildJvm.Outcome outcome =
        ChildJvm.run(folder, ThreadsMain.class, List.of(), Map.of("OMP_NUM_THREADS", variable));
    assertThat(outcome.code()).as("%s", outcome).isZero();
    return outcome.out().strip();
  }

  private String given(Path root) throws IOException, InterruptedException {
    return load(Map.of(LibTorchSource.ENVIRONMENT_VARIABLE, root.toString()));
  }

  private String load(Map<String, String> environment) throws IOException, InterruptedException {
    return load(List.of(), environment);
  }

  /** The one line that both attempts of a child process gave. */
  private String load(List<String> options, Map<String, String> environment, String... libraries)
      throws IOException, InterruptedException {
    ChildJvm.Outcome outcome =
        ChildJvm.run(folder, LoadMain.class, options, environment, libraries);
    List<String> lines = outcome.out().lines().toList();
    assertThat(outcome.code()).as("exit code; %s", outcome).isZero();
    assertThat(lines).as("one line each; %s", outcome).hasSize(2);
    assertThat(lines.get(1)).isEqualTo(lines.get(0));
    assertThat(outcome.err()).isEmpty();
    return lines.get(0);
  }

  private static Path bundled(String name) {
    return BundledLibraries.locate().files().stream()
        .filter(f -> f.getFileName().toString().startsWith("lib" + name))
        .findFirst()
        .orElseThrow();
  }
}
