package org.relaydiffusion.nativeconfig;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.SequencedMap;
import java.util.SortedMap;

/**
 * What this process runs on, as {@link Doctor#examine()} found it. Plain values, so that it can be
 * printed or written as JSON; {@link #facts()} is the same for people.
 *
 * @param java the Java runtime
 * @param machine the system, its processor and memory
 * @param cache where the bundled libraries are unpacked
 * @param libTorch the LibTorch that was loaded, or why none was
 * @param cuda NVIDIA devices, or why there are none to compute on
 */
public record DoctorReport(
    JavaRuntime java, Machine machine, LibraryCache cache, LibTorchState libTorch, Cuda cuda) {
  /**
   * The Java runtime.
   *
   * @param vendor who built it
   * @param version its full version
   * @param vm the virtual machine's name
   * @param home its folder
   * @param maxHeapBytes the most that the Java heap may grow to; tensors are not in it
   */
  public record JavaRuntime(
      String vendor, String version, String vm, Path home, long maxHeapBytes) {}

  /**
   * The system, its processor and its memory. "Usable" is what Java sees, where a container's
   * limits count.
   *
   * @param os the system's name and version
   * @param architecture the processor's architecture, in Java's words
   * @param cpu the processor's model, or the architecture where the system does not tell it
   * @param cpuFeatures the vector and matrix instructions that matter for speed, in the system's
   *     names
   * @param cores logical processors of the machine, where the system tells
   * @param usableCores logical processors that this process may use
   * @param memoryBytes the machine's physical memory, where the system tells
   * @param usableMemoryBytes the memory that this process may use
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
   * Where the bundled libraries are unpacked.
   *
   * @param folder the folder; empty where nothing names one
   * @param origin what chose it, or one line that says why there is none
   * @param bytes the length of all files in it
   * @param unused what other versions left there, safe to delete unless these are used too
   */
  public record LibraryCache(
      Optional<Path> folder, String origin, long bytes, List<UnusedFolder> unused) {}

  /**
   * A folder with the libraries of another version.
   *
   * @param folder the folder
   * @param bytes the length of all files in it
   */
  public record UnusedFolder(Path folder, long bytes) {}

  /** LibTorch: loaded or not. */
  public sealed interface LibTorchState {}

  /**
   * The LibTorch that was loaded.
   *
   * @param version its version
   * @param path its file {@code libtorch_cpu}
   * @param origin where it was taken from: bundled, or what named it
   * @param files every file that was loaded, in order
   * @param blas what multiplies its matrices on the CPU
   * @param threads the threads that one operator runs on
   * @param waiting how they wait for the next operator
   * @param cpuCapability the instruction set of its own kernels, such as {@code AVX512}; empty
   *     where the build does not tell
   * @param cpuCapabilityVariable {@code ATEN_CPU_CAPABILITY}, where it is set
   * @param withCuda whether its CUDA half is loaded
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
   * How OpenMP's threads wait.
   *
   * @param variables what OpenMP found in the environment when it was loaded; empty where it waits
   *     as it does by itself
   * @param byUser whether the user set them; else they are this project's choice
   */
  public record Waiting(SortedMap<String, String> variables, boolean byUser) {}

  /**
   * No LibTorch.
   *
   * @param reason one line that says why
   */
  public record NotLoaded(String reason) implements LibTorchState {}

  /**
   * The libraries behind matrix products and convolutions; each is empty where it is not in use or
   * does not tell.
   *
   * @param openBlas OpenBLAS's own account of its version, build and kernels
   * @param openBlasThreads the threads that OpenBLAS uses of itself (beside LibTorch's)
   * @param mkl Intel MKL's account of its version
   * @param oneDnn oneDNN's account of its version
   * @param file the BLAS library in this process, where it is a file of its own
   */
  public record Blas(
      Optional<String> openBlas,
      OptionalInt openBlasThreads,
      Optional<String> mkl,
      Optional<String> oneDnn,
      Optional<Path> file) {}

  /**
   * CUDA as the driver and LibTorch have it.
   *
   * @param driver the newest CUDA version that the driver can run, such as {@code 13.1}; empty
   *     without a driver
   * @param devices the driver's devices, whether LibTorch can use them or not
   * @param whyUnusable one line that says why nothing can be computed on CUDA; empty where it can
   */
  public record Cuda(
      Optional<String> driver, List<CudaDevice> devices, Optional<String> whyUnusable) {}

  /**
   * One NVIDIA device.
   *
   * @param index its number, as in {@code cuda:0}
   * @param name its model
   * @param memoryBytes its memory
   * @param computeCapability its generation, such as {@code 9.0}
   */
  public record CudaDevice(int index, String name, long memoryBytes, String computeCapability) {}

  /** The report for people: a short name and a line of text for each fact, in reading order. */
  public SequencedMap<String, String> facts() {
    return DoctorFacts.of(this);
  }
}
