// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.SequencedMap;
import java.util.SortedMap;

/**
 * The environment of this process, as examined by {@link Doctor#examine()}. It consists of plain
 * values, so that it can be printed or written as JSON; {@link #facts()} formats it for display.
 *
 * @param java the Java runtime
 * @param machine the system, its processor and memory
 * @param cache the folder of the unpacked libraries
 * @param libTorch the loaded LibTorch, or the reason why none is loaded
 * @param cuda NVIDIA devices, or the reason why CUDA cannot be used
 * @param installations each LibTorch that was found on this machine
 */
public record DoctorReport(
    JavaRuntime java,
    Machine machine,
    LibraryCache cache,
    LibTorchState libTorch,
    Cuda cuda,
    List<Installation> installations) {
  /**
   * The Java runtime.
   *
   * @param vendor its vendor
   * @param version its full version
   * @param vm the name of the virtual machine
   * @param home its folder
   * @param maxHeapBytes the maximum size of the Java heap, which does not contain tensors
   */
  public record JavaRuntime(
      String vendor, String version, String vm, Path home, long maxHeapBytes) {}

  /**
   * The system, its processor and its memory. "Usable" values are those seen by Java, which respect
   * the limits of a container.
   *
   * @param os the name and version of the system
   * @param architecture the processor's architecture, as named by Java
   * @param cpu the processor's model, or the architecture if the model is unknown
   * @param cpuFeatures the vector and matrix instruction sets that affect performance, as named by
   *     the system
   * @param cores number of logical processors of the machine, if known
   * @param usableCores number of logical processors that this process may use
   * @param memoryBytes physical memory of the machine, if known
   * @param usableMemoryBytes memory that this process may use
   */
  public record Machine(
      String os,
      String architecture,
      String cpu,
      List<String> cpuFeatures,
      OptionalInt cores,
      int usableCores,
      OptionalLong memoryBytes,
      long usableMemoryBytes) {}

  /**
   * The folder of the unpacked libraries.
   *
   * @param folder the folder; empty if it cannot be determined
   * @param origin what determined it, or one line with the reason why there is none
   * @param bytes the total size of its files
   * @param unused folders of other versions, which can be deleted unless those versions are still
   *     used
   */
  public record LibraryCache(
      Optional<Path> folder, String origin, long bytes, List<UnusedFolder> unused) {}

  /**
   * A folder with the libraries of another version.
   *
   * @param folder the folder
   * @param bytes the total size of its files
   */
  public record UnusedFolder(Path folder, long bytes) {}

  /** LibTorch: loaded or not. */
  public sealed interface LibTorchState {}

  /**
   * The loaded LibTorch.
   *
   * @param version its version
   * @param path its file {@code libtorch_cpu}
   * @param origin bundled, or the variable or property that selected it
   * @param files all loaded files, in order
   * @param blas the libraries for matrix products on the CPU
   * @param threads number of threads of an operator
   * @param waiting how they wait for the next operator
   * @param cpuCapability the instruction set of its own kernels, such as {@code AVX512}; empty if
   *     unknown
   * @param cpuCapabilityVariable {@code ATEN_CPU_CAPABILITY}, if set
   * @param withCuda whether its CUDA part is loaded
   */
  public record Loaded(
      LibTorch.Version version,
      Path path,
      String origin,
      List<Path> files,
      Blas blas,
      int threads,
      Waiting waiting,
      Optional<String> cpuCapability,
      Optional<String> cpuCapabilityVariable,
      boolean withCuda)
      implements LibTorchState {}

  /**
   * How OpenMP threads wait.
   *
   * @param variables the environment variables of OpenMP when it was loaded; empty if its waiting
   *     was left as it is by default
   * @param byUser whether the user set them; otherwise they are the default of this project
   */
  public record Waiting(SortedMap<String, String> variables, boolean byUser) {}

  /**
   * No LibTorch is loaded.
   *
   * @param reason one line with the reason
   */
  public record NotLoaded(String reason) implements LibTorchState {}

  /**
   * The libraries for matrix products and convolutions; each is empty if it is not used or does not
   * provide the information.
   *
   * @param openBlas OpenBLAS's version, build options and kernels
   * @param openBlasThreads number of threads of OpenBLAS's own pool (in addition to LibTorch's)
   * @param mkl Intel MKL's version
   * @param oneDnn oneDNN's version
   * @param file the BLAS library in this process, if it is a separate file
   */
  public record Blas(
      Optional<String> openBlas,
      OptionalInt openBlasThreads,
      Optional<String> mkl,
      Optional<String> oneDnn,
      Optional<Path> file) {}

  /**
   * CUDA according to the driver and LibTorch.
   *
   * @param driver the newest CUDA version supported by the driver, such as {@code 13.1}; empty
   *     without a driver
   * @param devices the driver's devices, whether or not LibTorch can use them
   * @param whyUnusable one line with the reason why CUDA cannot be used; empty if it can
   */
  public record Cuda(
      Optional<String> driver, List<CudaDevice> devices, Optional<String> whyUnusable) {}

  /**
   * An NVIDIA device.
   *
   * @param index its number, as in {@code cuda:0}
   * @param name its model
   * @param memoryBytes its memory
   * @param computeCapability such as {@code 9.0}
   */
  public record CudaDevice(int index, String name, long memoryBytes, String computeCapability) {}

  /**
   * A LibTorch on this machine, as far as the names and texts of its files tell.
   *
   * @param folder the folder of its libraries, which {@code RDM_LIBTORCH} takes
   * @param version as it names itself, such as {@code 2.10.0+cu128}; empty if unknown
   * @param withCuda whether it has a CUDA part
   * @param cuda the CUDA version for which it is built, such as {@code 12.8}; empty if unknown
   * @param whyUnusable one line with the reason why it cannot be used; empty if none is known
   * @param whyNoGpu one line with the reason why no NVIDIA GPU can be used with it; empty if none
   *     is known
   * @param inUse whether it is the one of this process
   */
  public record Installation(
      Path folder,
      Optional<String> version,
      boolean withCuda,
      Optional<String> cuda,
      Optional<String> whyUnusable,
      Optional<String> whyNoGpu,
      boolean inUse) {
    /** Returns this, with the version that was found otherwise. */
    Installation withVersion(String told) {
      return new Installation(
          folder, Optional.of(told), withCuda, cuda, whyUnusable, whyNoGpu, inUse);
    }

    /** Returns whether NVIDIA GPUs can be used with it, as far as its files tell. */
    boolean isForGpus() {
      return whyUnusable.isEmpty() && whyNoGpu.isEmpty();
    }

    /** Returns the line of a shell that selects it. */
    String selection() {
      return "export %s=%s".formatted(LibTorchSource.ENVIRONMENT_VARIABLE, quoted());
    }

    private String quoted() {
      String text = folder.toString();
      return text.matches("[\\w@%+:,./-]+") ? text : "'" + text.replace("'", "'\\''") + "'";
    }
  }

  /**
   * Returns the report for display: a short name and a line of text for each fact, in reading
   * order.
   */
  public SequencedMap<String, String> facts() {
    return DoctorFacts.of(this);
  }
}
