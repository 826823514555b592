// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.OptionException;

class DoctorTest {
  @TempDir Path folder;

  /** Prints what the doctor says of LibTorch. */
  static final class DoctorMain {
    private DoctorMain() {}

    public static void main(String[] arguments) {
      DoctorReport report = Doctor.examine();
      System.out.println(report.libTorch());
      System.out.println(report.facts().get("CUDA"));
    }
  }

  @Test
  void theReportTellsOfThisProcess() {
    DoctorReport report = Doctor.examine();
    assertThat(report.java().version()).isEqualTo(System.getProperty("java.runtime.version"));
    assertThat(report.java().home()).isDirectory();
    assertThat(report.machine().usableCores())
        .isEqualTo(Runtime.getRuntime().availableProcessors());
    assertThat(report.machine().usableMemoryBytes()).isGreaterThan(1L << 28);
    assertThat(report.machine().cpu()).isNotBlank();
    assertThat(report.libTorch()).isInstanceOf(DoctorReport.Loaded.class);
    DoctorReport.Loaded libTorch = (DoctorReport.Loaded) report.libTorch();
    assertThat(libTorch.version()).isGreaterThanOrEqualTo(LibTorch.OLDEST);
    assertThat(libTorch.files()).contains(libTorch.path()).allMatch(Files::isRegularFile);
    assertThat(libTorch.threads()).isEqualTo(NativeThreads.threads()).isPositive();
    assertThat(report.cuda().whyUnusable().isPresent())
        .isEqualTo(report.cuda().devices().isEmpty() || !libTorch.withCuda());
    assertThat(report.facts())
        .containsKeys(
            "Java", "System", "CPU", "Cores", "Memory", "LibTorch", "Threads wait", "BLAS", "CUDA")
        .allSatisfy((_, fact) -> assertThat(fact).isNotBlank().doesNotContain("Optional", "\n"));
  }

  @Test
  void aLibTorchThatCannotLoadIsAFactAndNoFailure() throws Exception {
    ChildJvm.Outcome outcome =
        ChildJvm.run(
            folder,
            DoctorMain.class,
            List.of(),
            Map.of(LibTorchSource.ENVIRONMENT_VARIABLE, folder.resolve("nowhere").toString()));
    assertThat(outcome.code()).as("%s", outcome).isZero();
    assertThat(outcome.out().lines().toList().get(0))
        .isEqualTo(
            "NotLoaded[reason=RDM_LIBTORCH=%s: there is no such folder]"
                .formatted(folder.resolve("nowhere")));
    assertThat(outcome.out().lines().toList().get(1))
        .startsWith("not usable: LibTorch is not loaded");
  }

  @Test
  void whatMattersIsTakenFromTheSystemsList() {
    assertThat(
            HostProbe.features(
                List.of(
                    "processor\t: 0",
                    "flags\t\t: fpu sse2 avx avx2 avx512f avx512_bf16 amx_tile amx_bf16 ht",
                    "flags\t\t: fpu")))
        .containsExactly("avx", "avx2", "avx512f", "avx512_bf16", "amx_tile", "amx_bf16");
    assertThat(HostProbe.features(List.of("Features\t: fp asimd bf16 sve crc32")))
        .containsExactly("asimd", "bf16", "sve");
    assertThat(HostProbe.features(List.of())).isEmpty();
    assertThat(HostProbe.memory(List.of("MemTotal:       24684084 kB", "MemFree: 1 kB")))
        .isEqualTo(OptionalLong.of(24684084L * 1024));
    assertThat(HostProbe.memory(List.of("nothing"))).isEmpty();
  }

  /** What OpenMP itself says that it took, when it is loaded. */
  @Test
  @EnabledOnOs(OS.LINUX)
  void openMpIsToldHowToWaitUnlessTheUserHas() throws Exception {
    assertThat(shownByOpenMp(Map.of())).contains("GOMP_SPINCOUNT = '1000'");
    assertThat(shownByOpenMp(Map.of("OMP_WAIT_POLICY", "PASSIVE")))
        .contains("OMP_WAIT_POLICY = 'PASSIVE'")
        .doesNotContain("GOMP_SPINCOUNT = '1000'");
    assertThat(shownByOpenMp(Map.of("GOMP_SPINCOUNT", "77"))).contains("GOMP_SPINCOUNT = '77'");
    assertThat(
            ThreadWaiting.examine(Map.of("HOME", "/", "KMP_BLOCKTIME", "5"), Settings.APPLICATION))
        .isEqualTo(new DoctorReport.Waiting(new TreeMap<>(Map.of("KMP_BLOCKTIME", "5")), true));
    assertThat(ThreadWaiting.examine(Map.of("HOME", "/"), Settings.APPLICATION).byUser()).isFalse();
    assertThat(ThreadWaiting.examine(Map.of("HOME", "/"), Settings.DEFAULT).variables()).isEmpty();
  }

  private String shownByOpenMp(Map<String, String> more) throws Exception {
    Map<String, String> environment = new HashMap<>(more);
    environment.put("OMP_DISPLAY_ENV", "VERBOSE");
    ChildJvm.Outcome outcome = ChildJvm.run(folder, LoadMain.class, List.of(), environment);
    assertThat(outcome.code()).as("%s", outcome).isZero();
    return outcome.err();
  }

  @Test
  void factsSayWhatAContainerAllows() {
    DoctorReport report =
        new DoctorReport(
            new DoctorReport.JavaRuntime("V", "25", "VM", Path.of("home"), 1L << 30),
            new DoctorReport.Machine(
                "Linux",
                "amd64",
                "CPU",
                List.of("avx2"),
                OptionalInt.of(64),
                4,
                OptionalLong.of(64L << 30),
                8L << 30),
            new DoctorReport.LibraryCache(
                Optional.of(Path.of("cache")),
                "HOME",
                3L << 30,
                List.of(new DoctorReport.UnusedFolder(Path.of("old"), 1L << 30))),
            new DoctorReport.NotLoaded("because"),
            new DoctorReport.Cuda(
                Optional.of("13.1"),
                List.of(new DoctorReport.CudaDevice(0, "H", 80L << 30, "9.0")),
                Optional.of("LibTorch is not loaded")),
            List.of());
    assertThat(report.facts())
        .containsEntry("Cores", "4 of 64")
        .containsEntry("Memory", "8.0 GiB of 64.0 GiB")
        .containsEntry("LibTorch", "none: because")
        .containsEntry("Library cache", "cache, 3.0 GiB, from HOME")
        .containsEntry(
            "Other versions",
            "old, 1.0 GiB (may be deleted if no other installation of rdm uses them)")
        .containsEntry("CUDA", "not usable: LibTorch is not loaded")
        .containsEntry("cuda:0", "H, 80.0 GiB, compute capability 9.0")
        .containsEntry(
            "To use a GPU",
            "install PyTorch 2.10.0 or newer with CUDA, as with 'pip install torch', and run this"
                + " command again");
  }

  @Test
  void threadsAreSetAndChecked() {
    int before = NativeThreads.threads();
    try {
      NativeThreads.setThreads(before + 1);
      assertThat(NativeThreads.threads()).isEqualTo(before + 1);
    } finally {
      NativeThreads.setThreads(before);
    }
    assertThatThrownBy(() -> NativeThreads.setThreads(0))
        .isInstanceOf(OptionException.class)
        .hasMessage("--threads: expected 1 to 1024, found 0");
    assertThatThrownBy(() -> NativeThreads.setThreads(NativeThreads.MOST + 1))
        .isInstanceOf(OptionException.class)
        .hasMessage("--threads: expected 1 to 1024, found 1025");
  }

  @Test
  void aThreadThatWorksAloneLeavesTheOthersTheirs() throws InterruptedException {
    int before = NativeThreads.threads();
    try {
      NativeThreads.setThreads(2);
      AtomicInteger seen = new AtomicInteger();
      Thread alone =
          Thread.ofPlatform()
              .start(() -> {
                NativeThreads.useThisThreadAlone();
                seen.set(NativeThreads.threads());
              });
      alone.join();
      assertThat(seen).hasValue(1);
      assertThat(NativeThreads.threads()).isEqualTo(2);
    } finally {
      NativeThreads.setThreads(before);
    }
  }

  @Test
  void versionsAreReadFromTheAbiNumberAndOrdered() {
    LibTorch.Version v = LibTorch.Version.ofAbi(0x020A_0100_0000_0000L);
    assertThat(v).isEqualTo(new LibTorch.Version(2, 10, 1)).hasToString("2.10.1");
    assertThat(new LibTorch.Version(2, 9, 1)).isLessThan(LibTorch.OLDEST);
    assertThat(new LibTorch.Version(3, 0, 0)).isGreaterThan(new LibTorch.Version(2, 14, 1));
  }
}
