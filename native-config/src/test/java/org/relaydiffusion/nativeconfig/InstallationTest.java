// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.nativeconfig.DoctorReport.Installation;

/** Installations of LibTorch, laid out as the packages have them; the libraries are empty files. */
@EnabledOnOs(OS.LINUX)
class InstallationTest {
  @TempDir private Path root;

  private Path pip(String environment, String version, String cuda, String... libraries)
      throws IOException {
    Path torch = root.resolve(environment).resolve("lib/python3.12/site-packages/torch");
    libraries(torch.resolve("lib"), libraries);
    Files.writeString(
        torch.resolve("version.py"),
        """
        from typing import Optional

        __all__ = ['__version__', 'debug', 'cuda', 'git_version', 'hip', 'rocm', 'xpu']
        __version__ = '%s'
        debug = False
        cuda: Optional[str] = %s
        git_version = '1.2'
        hip: Optional[str] = None
        """
            .formatted(version, cuda));
    return torch.resolve("lib");
  }

  private static void libraries(Path folder, String... names) throws IOException {
    Files.createDirectories(folder);
    for (String name : names) {
      Files.createFile(folder.resolve(name));
    }
  }

  private Path python(String environment) throws IOException {
    Path bin = Files.createDirectories(root.resolve(environment).resolve("bin"));
    Path python = Files.createFile(bin.resolve("python3"));
    assertThat(python.toFile().setExecutable(true)).isTrue();
    return bin;
  }

  private InstallationSearch search(Map<String, String> environment) throws IOException {
    return new InstallationSearch(
        environment,
        root,
        Files.createDirectories(root.resolve("home")),
        Files.createDirectories(root.resolve("here")));
  }

  private List<Installation> found(Map<String, String> environment) throws IOException {
    return Doctor.installations(search(environment), Optional.empty(), Optional.empty());
  }

  private Installation only(Map<String, String> environment) throws IOException {
    List<Installation> found = found(environment);
    assertThat(found).hasSize(1);
    return found.getFirst();
  }

  @Test
  void aFolderThatCannotBeReadHidesNothingBesideIt() throws IOException {
    Path lib = pip("conda", "2.10.0", "None", "libtorch_cpu.so");
    Path other = Files.createDirectories(root.resolve("conda/lib64"));
    assertThat(other.toFile().setReadable(false)).isTrue();
    try {
      assumeFalse(Files.isReadable(other), "this user may read everything");
      assertThat(only(Map.of("CONDA_PREFIX", root.resolve("conda").toString())).folder())
          .isEqualTo(lib);
    } finally {
      assertThat(other.toFile().setReadable(true)).isTrue();
    }
  }

  @Test
  void thePythonOnThePathIsLookedAt() throws IOException {
    Path lib = pip("conda", "2.10.0+cu128", "'12.8'", "libtorch_cpu.so", "libtorch_cuda.so");
    Installation found = only(Map.of("PATH", root.resolve("none") + ":" + python("conda")));

    assertThat(found)
        .isEqualTo(
            new Installation(
                lib,
                Optional.of("2.10.0+cu128"),
                true,
                Optional.of("12.8"),
                Optional.empty(),
                Optional.empty(),
                false));
    assertThat(found.isForGpus()).isTrue();
    assertThat(found.selection()).isEqualTo("export RDM_LIBTORCH=" + lib);
  }

  @Test
  void aVirtualEnvironmentIsItsOwnAndItsPythonAnothersToo() throws IOException {
    Path base = pip("usr/local", "2.11.0+cpu", "None", "libtorch_cpu.so");
    Path own = pip("work/venv", "2.12.1+cu130", "'13.0'", "libtorch_cpu.so", "libtorch_cuda.so");
    Path python = python("usr/local").resolve("python3");
    Path bin = Files.createDirectories(root.resolve("work/venv/bin"));
    Files.createSymbolicLink(bin.resolve("python"), python);

    assertThat(found(Map.of("PATH", bin.toString())))
        .extracting(Installation::folder)
        .containsExactly(own, base);
    assertThat(found(Map.of("VIRTUAL_ENV", root.resolve("work/venv").toString())))
        .extracting(Installation::folder)
        .startsWith(own);
  }

  @Test
  void usualPlacesAreLookedAtOnce() throws IOException {
    pip("home/.pyenv/versions/3.12.1", "2.10.0", "None", "libtorch_cpu.so");
    pip("home/miniforge3/envs/torch", "2.10.1", "None", "libtorch_cpu.so");
    pip("home/.local", "2.10.2", "None", "libtorch_cpu.so");
    pip("here/.venv", "2.10.3", "None", "libtorch_cpu.so");
    pip("opt/conda", "2.10.4", "None", "libtorch_cpu.so");
    libraries(root.resolve("opt/libtorch-2.10/lib"), "libtorch_cpu.so");
    Files.createSymbolicLink(root.resolve("opt/libtorch"), root.resolve("opt/libtorch-2.10"));

    assertThat(found(Map.of("CONDA_PREFIX", root.resolve("opt/conda").toString())))
        .extracting(i -> i.version().orElse("unknown"))
        .containsExactly("2.10.4", "2.10.3", "2.10.2", "2.10.0", "2.10.1", "unknown");
  }

  @Test
  void aDistributionTellsItsVersionInAFile() throws IOException {
    Path libtorch = root.resolve("opt/libtorch");
    libraries(libtorch.resolve("lib"), "libtorch_cpu.so", "libtorch_cuda.so");
    Files.writeString(libtorch.resolve("build-version"), "2.9.1+cu126\n");

    Installation found = only(Map.of());
    assertThat(found.version()).contains("2.9.1+cu126");
    assertThat(found.cuda()).contains("12.6");
    assertThat(found.whyUnusable()).contains("2.10.0 or newer is needed");
    assertThat(found.isForGpus()).isFalse();
  }

  @Test
  void otherPackagesTellItInTheirNamesOrForCmake() throws IOException {
    Path debian = root.resolve("usr/lib/x86_64-linux-gnu");
    libraries(debian, "libtorch_cpu.so.2.14.1", "libtorch_cuda.so.2.14.1");
    Files.createSymbolicLink(
        debian.resolve("libtorch_cpu.so.2.14"), Path.of("libtorch_cpu.so.2.14.1"));
    Path conda = root.resolve("home/miniconda3");
    libraries(conda.resolve("lib"), "libtorch_cpu.so", "libtorch_cuda.so");
    libraries(conda.resolve("conda-meta"), "libtorch-2.10.0-cuda129_mkl_h1234_0.json");
    Path cmake = root.resolve("home/libtorch");
    libraries(cmake.resolve("lib"), "libtorch_cpu.so");
    Files.createDirectories(cmake.resolve("share/cmake/Torch"));
    Files.writeString(
        cmake.resolve("share/cmake/Torch/TorchConfigVersion.cmake"),
        "set(PACKAGE_VERSION \"2.13.0\")\n");

    assertThat(found(Map.of()))
        .extracting(Installation::version, Installation::cuda, Installation::withCuda)
        .containsExactlyInAnyOrder(
            org.assertj.core.groups.Tuple.tuple(Optional.of("2.14.1"), Optional.empty(), true),
            org.assertj.core.groups.Tuple.tuple(Optional.of("2.10.0"), Optional.of("12.9"), true),
            org.assertj.core.groups.Tuple.tuple(Optional.of("2.13.0"), Optional.empty(), false));
  }

  @Test
  void whatIsNoVersionIsUnknown() throws IOException {
    pip("opt/conda", "$(reboot)", "None", "libtorch_cpu.so");
    assertThat(only(Map.of()).version()).isEmpty();
    assertThat(only(Map.of()).whyUnusable()).isEmpty();
  }

  @Test
  void whyAGpuCannotBeUsedIsSaid() throws IOException {
    pip("opt/conda", "2.10.0+cu130", "'13.0'", "libtorch_cpu.so", "libtorch_cuda.so");
    pip("here/venv", "2.10.0+rocm6.4", "None", "libtorch_cpu.so", "libtorch_hip.so");
    pip("here/.venv", "2.10.0+cpu", "None", "libtorch_cpu.so");

    assertThat(Doctor.installations(search(Map.of()), Optional.empty(), Optional.of("12.4")))
        .extracting(i -> i.whyNoGpu().orElseThrow())
        .containsExactly(
            "it has no CUDA in it",
            "it is built for ROCm",
            "it is built for CUDA 13.0, but the driver is for 12.4");
    assertThat(Doctor.installations(search(Map.of()), Optional.empty(), Optional.of("13.2")))
        .filteredOn(Installation::isForGpus)
        .hasSize(1);
  }

  @Test
  void theOneInUseIsMarkedAndAnyFolderCanBePastedIntoAShell() throws IOException {
    Path lib = pip("opt/conda", "2.10.0", "None", "libtorch_cpu.so");
    Path odd = pip("here/env", "2.10.0", "None", "libtorch_cpu.so");
    List<Installation> found =
        Doctor.installations(
            search(Map.of()), Optional.of(lib.resolve("libtorch_cpu.so")), Optional.empty());
    assertThat(found)
        .filteredOn(Installation::inUse)
        .extracting(Installation::folder)
        .containsExactly(lib);
    assertThat(odd).isNotEqualTo(lib);
    Installation quoted =
        new Installation(
            Path.of("/home/o'neil/my torch"),
            Optional.empty(),
            true,
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            false);
    assertThat(quoted.selection()).isEqualTo("export RDM_LIBTORCH='/home/o'\\''neil/my torch'");
  }

  @Test
  void theReportSaysWhichLineToSet() throws IOException {
    Path gpu = pip("opt/conda", "2.10.0+cu128", "'12.8'", "libtorch_cpu.so", "libtorch_cuda.so");
    Path old = pip("here/.venv", "2.4.1+cu121", "'12.1'", "libtorch_cpu.so", "libtorch_cuda.so");
    DoctorReport examined = Doctor.examine();
    DoctorReport report =
        new DoctorReport(
            examined.java(),
            examined.machine(),
            examined.cache(),
            examined.libTorch(),
            new DoctorReport.Cuda(
                Optional.of("12.9"),
                List.of(new DoctorReport.CudaDevice(0, "H", 80L << 30, "9.0")),
                Optional.of("this build of LibTorch has no CUDA in it")),
            Doctor.installations(search(Map.of()), Optional.empty(), Optional.of("12.9")));
    assertThat(report.facts())
        .containsEntry(
            "Installation 1",
            "LibTorch 2.4.1+cu121, CUDA 12.1, not usable (2.10.0 or newer is needed): " + old)
        .containsEntry(
            "Installation 2", "LibTorch 2.10.0+cu128, CUDA 12.8: export RDM_LIBTORCH=" + gpu)
        .containsEntry("To use a GPU", "export RDM_LIBTORCH=" + gpu);
  }
}
