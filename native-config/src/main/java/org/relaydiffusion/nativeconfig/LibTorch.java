package org.relaydiffusion.nativeconfig;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The one LibTorch of this process: found, loaded in a known order, and set up. Loading happens on
 * the first call of {@link #load()}; a failure is remembered and thrown again by every later call.
 *
 * @param source whether it was bundled or given by the user
 * @param files the files that were loaded, in order; the last one is {@code libtorch_cpu} or, with
 *     CUDA, {@code libtorch_cuda}
 * @param version its version
 * @param whyNoCuda one line that says why its CUDA half is not there; empty where it is
 * @param symbols finds its exported functions
 */
public record LibTorch(
    LibTorchSource source,
    List<Path> files,
    Version version,
    Optional<String> whyNoCuda,
    SymbolLookup symbols) {
  /** The oldest LibTorch whose stable C ABI has all that the bindings call. */
  public static final Version OLDEST = new Version(2, 10, 0);

  private static @Nullable LibTorch loaded;
  private static @Nullable String failure;

  /** LibTorch's version, as its C ABI tells it. */
  public record Version(int major, int minor, int patch) implements Comparable<Version> {
    static Version ofAbi(long abi) {
      return new Version(
          (int) (abi >>> 56) & 0xff, (int) (abi >>> 48) & 0xff, (int) (abi >>> 40) & 0xff);
    }

    @Override
    public int compareTo(Version o) {
      int byMajor = Integer.compare(major, o.major);
      int byMinor = byMajor != 0 ? byMajor : Integer.compare(minor, o.minor);
      return byMinor != 0 ? byMinor : Integer.compare(patch, o.patch);
    }

    @Override
    public String toString() {
      return major + "." + minor + "." + patch;
    }
  }

  /**
   * The LibTorch of this process, loaded if it is not yet.
   *
   * @throws NativeLibraryException if none can be loaded, it is older than {@link #OLDEST}, or
   *     another one is in the process already
   */
  public static synchronized LibTorch load() {
    if (loaded != null) {
      return loaded;
    }
    if (failure != null) {
      throw new NativeLibraryException(failure);
    }
    try {
      NativeMemory.beforeLoading();
      ThreadWaiting.beforeLoading();
      LibTorch library = open(LibTorchSource.choose());
      NativeLog.tune(library);
      NativeMemory.tune();
      NativeThreads.tune(library);
      loaded = library;
      return library;
    } catch (NativeLibraryException e) {
      failure = String.valueOf(e.getMessage());
      throw e;
    } catch (IllegalCallerException e) {
      failure =
          "Java may not call native libraries here: start it with --enable-native-access="
              + moduleName();
      throw new NativeLibraryException(failure, e);
    }
  }

  private static String moduleName() {
    String name = LibTorch.class.getModule().getName();
    return name == null ? "ALL-UNNAMED" : name;
  }

  /** The file that holds the operators: {@code libtorch_cpu}. */
  public Path path() {
    return files.stream()
        .filter(f -> f.getFileName().toString().contains("torch_cpu"))
        .findFirst()
        .orElseThrow();
  }

  /** Whether this build of LibTorch has CUDA in it (a device may still be missing). */
  public boolean hasCuda() {
    return whyNoCuda.isEmpty();
  }

  /** The exported function {@code name}, if this build has it. */
  public Optional<MemorySegment> find(String name) {
    return symbols.find(name);
  }

  private static LibTorch open(LibTorchSource source) {
    LoadedLibraries.refuseSecond(source);
    SymbolLookup symbols = name -> Optional.empty();
    for (Path file : source.files()) {
      symbols = DynamicLoader.open(file).or(symbols);
    }
    Version version = version(symbols, source);
    if (version.compareTo(OLDEST) < 0) {
      throw new NativeLibraryException(
          "%s is LibTorch %s; %s or newer is needed".formatted(source.origin(), version, OLDEST));
    }
    List<Path> files = new ArrayList<>(source.files());
    Optional<String> whyNoCuda = Optional.empty();
    try {
      for (Path file : source.cudaFiles()) {
        symbols = DynamicLoader.open(file).or(symbols);
        files.add(file);
      }
      if (source.cudaFiles().isEmpty()) {
        whyNoCuda = Optional.of("this build of LibTorch has no CUDA in it");
      }
    } catch (NativeLibraryException e) {
      // The CPU can be computed on all the same; who asks for CUDA is told this.
      whyNoCuda = Optional.of(String.valueOf(e.getMessage()));
    }
    return new LibTorch(source, List.copyOf(files), version, whyNoCuda, symbols);
  }

  private static Version version(SymbolLookup symbols, LibTorchSource source) {
    MemorySegment function =
        symbols
            .find("aoti_torch_abi_version")
            .orElseThrow(() ->
                new NativeLibraryException(
                    "%s is a LibTorch without the stable C ABI; %s or newer is needed"
                        .formatted(source.origin(), OLDEST)));
    return Version.ofAbi(
        (long) Downcall.call(function, FunctionDescriptor.of(ValueLayout.JAVA_LONG)));
  }
}
