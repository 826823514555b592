// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The jars of profile gpu, which are made here with names as contents. */
@EnabledOnOs(OS.LINUX)
class BundledCudaTest {
  private static final String PLATFORM = Platform.name();
  private static final List<String> CUDNN =
      Stream.of(
              "",
              "_graph",
              "_ops",
              "_cnn",
              "_adv",
              "_heuristic",
              "_engines_precompiled",
              "_engines_runtime_compiled")
          .map(part -> "libcudnn" + part + ".so.9")
          .toList();

  @TempDir private Path folder;

  /** Prints the files in the order of loading, and the artifacts that are missing. */
  static final class LocateMain {
    private LocateMain() {}

    public static void main(String[] arguments) {
      LibTorchSource.Bundled found = BundledLibraries.locate();
      Stream.concat(found.files().stream(), found.cudaFiles().stream())
          .forEach(System.out::println);
      System.out.println("missing " + found.missing());
      System.out.println("lacking " + found.lacking());
    }
  }

  @Test
  void allLibrariesOfAJarAreUnpackedBesideTheOneThatOpensThem() throws Exception {
    List<Path> jars = new ArrayList<>(torch());
    jars.add(
        jar(
            "cuda-redist",
            "cuda/" + PLATFORM,
            "libcudart.so.13",
            "libnvrtc.so.13",
            "libnvrtc-builtins.so.13.1"));
    List<String> cudnn = new ArrayList<>(CUDNN);
    cudnn.add("libjnicudnn.so");
    cudnn.add("readme.txt");
    jars.add(jar("cuda-redist-cudnn", "cuda/" + PLATFORM, cudnn.toArray(String[]::new)));

    List<String> lines = locate(jars);

    assertThat(names(lines))
        .containsExactly(
            "libcudart.so.13",
            "libnvrtc.so.13",
            "libcudnn.so.9",
            "libopenblas.so.0",
            "libc10.so",
            "libtorch_cpu.so",
            "libc10_cuda.so",
            "libtorch_cuda.so");
    assertThat(unpacked("cuda-redist-cudnn")).containsExactlyInAnyOrderElementsOf(CUDNN);
    assertThat(unpacked("cuda-redist")).contains("libnvrtc-builtins.so.13.1");
    assertThat(unpacked("pytorch")).contains("libtorch_cuda_linalg.so");
    assertThat(lines)
        .contains(
            "missing [cuda-redist-cublas, cuda-redist-cusparse, cuda-redist-cusolver,"
                + " cuda-redist-nccl]");
    assertThat(lines.getLast())
        .isEqualTo(
            "lacking ; not on the class or module path: cuda-redist-cublas, cuda-redist-cusparse,"
                + " cuda-redist-cusolver, cuda-redist-nccl (org.bytedeco,"
                + " classifier %s); add them, or point RDM_LIBTORCH at a LibTorch with CUDA"
                    .formatted(PLATFORM));
    for (String line : lines.subList(0, 8)) {
      assertThat(Path.of(line)).hasContent(Path.of(line).getFileName().toString());
    }
  }

  @Test
  void theBuildWithoutCudaUnpacksWhatItLoads() throws Exception {
    Path torch =
        jar("pytorch", "pytorch/" + PLATFORM, "libc10.so", "libtorch_cpu.so", "libother.so");
    Path blas = jar("openblas", "openblas/" + PLATFORM, "libopenblas.so.0");

    List<String> lines = locate(List.of(torch, blas));

    assertThat(names(lines)).containsExactly("libopenblas.so.0", "libc10.so", "libtorch_cpu.so");
    assertThat(unpacked("pytorch")).containsExactlyInAnyOrder("libc10.so", "libtorch_cpu.so");
    assertThat(lines).contains("missing []", "lacking ");
  }

  private List<Path> torch() throws IOException {
    return List.of(
        jar("openblas", "openblas/" + PLATFORM, "libopenblas.so.0"),
        jar(
            "pytorch",
            "pytorch/" + PLATFORM + "-gpu",
            "libc10.so",
            "libtorch_cpu.so",
            "libc10_cuda.so",
            "libtorch_cuda.so",
            "libtorch_cuda_linalg.so",
            "libjnitorch.so"));
  }

  private Path jar(String name, String inside, String... libraries) throws IOException {
    Path jar = folder.resolve(name + "-1.0.jar");
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
      for (String library : libraries) {
        out.putNextEntry(new JarEntry("org/bytedeco/" + inside + "/" + library));
        out.write(library.getBytes(StandardCharsets.US_ASCII));
        out.closeEntry();
      }
    }
    return jar;
  }

  private List<String> locate(List<Path> jars) throws Exception {
    List<String> classPath = new ArrayList<>(List.of(home(LibTorch.class), home(getClass())));
    jars.forEach(jar -> classPath.add(jar.toString()));
    ChildJvm.Outcome outcome =
        ChildJvm.runOn(
            String.join(File.pathSeparator, classPath),
            folder,
            LocateMain.class,
            List.of(),
            Map.of(CacheFolder.ENVIRONMENT_VARIABLE, folder.resolve("cache").toString()));
    assertThat(outcome.code()).as("%s", outcome).isZero();
    return outcome.out().lines().toList();
  }

  private static String home(Class<?> type) throws URISyntaxException {
    return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI()).toString();
  }

  private static List<String> names(List<String> lines) {
    return lines.stream()
        .filter(line -> line.startsWith("/"))
        .map(line -> line.substring(line.lastIndexOf('/') + 1))
        .toList();
  }

  private List<String> unpacked(String jar) throws IOException {
    try (Stream<Path> files = Files.list(folder.resolve("cache/libtorch/" + jar + "-1.0"))) {
      return files
          .map(f -> f.getFileName().toString())
          .filter(name -> !name.endsWith(".stamp"))
          .toList();
    }
  }
}
