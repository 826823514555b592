// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.io.IOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.SequencedSet;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The libraries in the JavaCPP artifacts, unpacked to our own {@link LibraryCache} and loaded by
 * exact file. JavaCPP's own loader is not used: its cache may be a folder that another user created
 * first, and it preloads system libraries with names such as {@code tbb}, which crashes if another
 * LibTorch is installed.
 */
final class BundledLibraries {
  /**
   * A library that is loaded.
   *
   * @param preset the folder in its jar
   * @param artifact of {@code org.bytedeco}
   */
  private record Entry(String preset, String artifact, String linuxName, Need need) {
    Entry(String preset, String linuxName, Need need) {
      this(preset, preset, linuxName, need);
    }

    /** A library of CUDA's. */
    static Entry cuda(String artifact, String linuxName) {
      return new Entry("cuda", artifact, linuxName, Need.IF_PRESENT);
    }
  }

  private enum Need {
    REQUIRED,
    IF_PRESENT
  }

  // Dependencies first: the dependencies of each library must be loaded before it.
  private static final List<Entry> ORDER =
      List.of(
          new Entry("openblas", "libquadmath.so.0", Need.IF_PRESENT),
          new Entry("openblas", "libgfortran.so.5", Need.IF_PRESENT),
          new Entry("openblas", "libopenblas.so.0", Need.REQUIRED),
          new Entry("pytorch", "libgomp.so.1", Need.IF_PRESENT),
          new Entry("pytorch", "libc10.so", Need.REQUIRED),
          new Entry("pytorch", "libtorch_cpu.so", Need.REQUIRED));

  private static final String REDIST = "cuda-redist";

  // Additional libraries of the CUDA build, from the artifacts of profile gpu. Each brings others
  // that it opens by name from its own folder, as cuDNN does: they are unpacked, but not listed.
  private static final List<Entry> CUDA =
      List.of(
          Entry.cuda(REDIST, "libcudart.so.13"),
          Entry.cuda(REDIST, "libnvJitLink.so.13"),
          Entry.cuda(REDIST, "libnvrtc.so.13"),
          Entry.cuda(REDIST + "-cublas", "libcublasLt.so.13"),
          Entry.cuda(REDIST + "-cublas", "libcublas.so.13"),
          Entry.cuda(REDIST, "libcufft.so.12"),
          Entry.cuda(REDIST, "libcurand.so.10"),
          Entry.cuda(REDIST + "-cusparse", "libcusparse.so.12"),
          Entry.cuda(REDIST + "-cusolver", "libcusolver.so.12"),
          Entry.cuda(REDIST, "libcupti.so.13"),
          Entry.cuda(REDIST + "-cudnn", "libcudnn.so.9"),
          Entry.cuda(REDIST + "-nccl", "libnccl.so.2"),
          Entry.cuda(REDIST, "libcufile.so.0"));

  /** The platforms for which {@code org.bytedeco:pytorch} 2.10 is published. */
  private static final Set<String> PYTORCH_PLATFORMS =
      Set.of("linux-x86_64", "macosx-arm64", "macosx-x86_64", "windows-x86_64");

  private BundledLibraries() {}

  static LibTorchSource.Bundled locate() {
    String platform = Platform.name();
    List<Path> files = new ArrayList<>();
    List<Path> cudaFiles = new ArrayList<>();
    SequencedSet<String> missing = new LinkedHashSet<>();
    if (resource("pytorch", platform, "libtorch_cuda.so") != null) {
      Set<String> whole = new HashSet<>();
      Set<String> present = new HashSet<>();
      for (Entry entry : CUDA) {
        missing.add(entry.artifact);
        if (addAll(files, entry, platform, whole)) {
          present.add(entry.artifact);
        }
      }
      missing.removeAll(present);
      ORDER.forEach(e -> add(files, e, platform));
      // It opens libtorch_cuda_linalg by name when that is first needed.
      addAll(cudaFiles, new Entry("pytorch", "libc10_cuda.so", Need.REQUIRED), platform, whole);
      addAll(cudaFiles, new Entry("pytorch", "libtorch_cuda.so", Need.REQUIRED), platform, whole);
    } else {
      ORDER.forEach(e -> add(files, e, platform));
    }
    return new LibTorchSource.Bundled(
        List.copyOf(files), List.copyOf(cudaFiles), List.copyOf(missing));
  }

  /**
   * Says which artifacts of the CUDA build are not there; empty if none is missing.
   *
   * @param artifacts of {@code org.bytedeco}
   */
  static String lacking(List<String> artifacts) {
    return artifacts.isEmpty()
        ? ""
        : "; not on the class or module path: %s (org.bytedeco, classifier %s); add them, or point"
                .formatted(String.join(", ", artifacts), Platform.name())
            + " %s at a LibTorch with CUDA".formatted(LibTorchSource.ENVIRONMENT_VARIABLE);
  }

  /**
   * Returns the JNI library of a JavaCPP artifact.
   *
   * @param preset the artifact, such as {@code pytorch}
   * @param library its name without prefix and extension, such as {@code jnitorch}
   * @throws NativeLibraryException if it is not on the class or module path
   */
  static Path jni(String preset, String library) {
    String platform = Platform.name();
    String name = System.mapLibraryName(library);
    URL resource = resource(preset, platform, name);
    if (resource == null) {
      throw new NativeLibraryException(missing(name, platform, preset));
    }
    return unpacked(resource, name);
  }

  /** Returns the jars with the libraries of this process, as named by {@link LibraryCache}. */
  static Set<String> jars() {
    String platform = Platform.name();
    Set<String> jars = new HashSet<>();
    Stream.concat(
            Stream.concat(ORDER.stream(), CUDA.stream())
                .map(e -> resource(e.preset, platform, nameOn(platform, e.linuxName))),
            Stream.of(resource("javacpp", platform, System.mapLibraryName("jnijavacpp"))))
        .filter(url -> url != null && url.getProtocol().equals("jar"))
        .forEach(url -> {
          try {
            jars.add(BundledFile.of(url).jar());
          } catch (IOException e) {
            // Loading reports the error; here the jar is only not counted as used.
          }
        });
    return jars;
  }

  /**
   * Adds a library, and unpacks all others of its jar beside it.
   *
   * @param whole the jars that are unpacked already
   * @return whether the library is there
   */
  private static boolean addAll(List<Path> files, Entry entry, String platform, Set<String> whole) {
    String name = nameOn(platform, entry.linuxName);
    URL resource = resource(entry.preset, platform, name);
    if (resource != null && resource.getProtocol().equals("jar")) {
      unpackAll(resource, whole);
    }
    add(files, entry, platform);
    return resource != null;
  }

  private static void unpackAll(URL resource, Set<String> whole) {
    try {
      if (whole.add(BundledFile.of(resource).jar())) {
        BundledFile.besides(resource).forEach(LibraryCache::unpacked);
      }
    } catch (IOException e) {
      throw new NativeLibraryException(
          "%s cannot be read: %s".formatted(resource, e.getMessage()), e);
    }
  }

  private static void add(List<Path> files, Entry entry, String platform) {
    String name = nameOn(platform, entry.linuxName);
    URL resource = resource(entry.preset, platform, name);
    if (resource == null) {
      if (entry.need == Need.REQUIRED && !isSystemLibrary(platform, entry)) {
        throw new NativeLibraryException(notFound(name, platform, entry.preset));
      }
      return;
    }
    files.add(unpacked(resource, name));
  }

  /** Says what to do about a library of LibTorch's that is nowhere. */
  static String notFound(String name, String platform, String preset) {
    String folder =
        "point %s at a folder with LibTorch".formatted(LibTorchSource.ENVIRONMENT_VARIABLE);
    return preset.equals("pytorch") && !PYTORCH_PLATFORMS.contains(platform)
        ? "no LibTorch for %s is bundled (org.bytedeco:pytorch has none): %s"
            .formatted(platform, folder)
        : missing(name, platform, preset) + ", or " + folder;
  }

  private static String missing(String name, String platform, String preset) {
    return "%s for %s is not on the class or module path: add org.bytedeco:%s with classifier %s"
        .formatted(name, platform, preset, platform);
  }

  private static Path unpacked(URL resource, String name) {
    try {
      // Class folders, as in an IDE, contain the file itself.
      return resource.getProtocol().equals("file")
          ? Path.of(resource.toURI()).toAbsolutePath()
          : LibraryCache.unpacked(BundledFile.of(resource));
    } catch (IOException | URISyntaxException e) {
      throw new NativeLibraryException(
          "%s cannot be read from %s: %s".formatted(name, resource, e.getMessage()), e);
    }
  }

  private static @Nullable URL resource(String preset, String platform, String name) {
    String folder = "org/bytedeco/" + preset + "/" + platform + "/";
    ClassLoader loader = BundledLibraries.class.getClassLoader();
    URL found = loader.getResource(folder + name);
    return found != null
        ? found
        : loader.getResource("org/bytedeco/%s/%s-gpu/%s".formatted(preset, platform, name));
  }

  // macOS has a system BLAS, and Windows names libraries without a prefix.
  private static boolean isSystemLibrary(String platform, Entry entry) {
    return platform.startsWith("macosx") && entry.preset.equals("openblas");
  }

  private static String nameOn(String platform, String linuxName) {
    String stem = linuxName.substring(3, linuxName.indexOf(".so"));
    if (platform.startsWith("windows")) {
      return stem.equals("openblas") ? "libopenblas.dll" : stem + ".dll";
    }
    if (platform.startsWith("macosx")) {
      return switch (stem) {
        case "openblas" -> "libopenblas.0.dylib";
        case "gomp" -> "libomp.dylib";
        default -> "lib" + stem + ".dylib";
      };
    }
    return linuxName;
  }
}
