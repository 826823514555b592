// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.RdmException;

/**
 * The one LibTorch of this process: found, loaded in a known order, and set up. Loading happens on
 * the first call of {@link #load()}, which everything that needs LibTorch makes by itself; a
 * failure is remembered and thrown again by every later call. What loading may change in the
 * process is chosen before, with {@link #configure} or {@link #load(Settings)}.
 *
 * @param source whether it was bundled or given by the user
 * @param files the files that were loaded, in order; the last one is {@code libtorch_cpu} or, with
 *     CUDA, {@code libtorch_cuda}
 * @param version its version
 * @param whyNoCuda one line that says why its CUDA half is not there; empty where it is
 * @param symbols finds its exported functions
 * @param settings what loading was allowed to change in this process
 * @param errors the reasons of calls that fail
 */
public record LibTorch(
    LibTorchSource source,
    List<Path> files,
    Version version,
    Optional<String> whyNoCuda,
    SymbolLookup symbols,
    Settings settings,
    ErrorText errors) {
  /** The oldest LibTorch whose stable C ABI has all that the bindings call. */
  public static final Version OLDEST = new Version(2, 10, 0);

  private static final String NO_CUDA =
      "this build of LibTorch has no CUDA in it: set %s to one that has ('rdm doctor' lists those found)"
          .formatted(LibTorchSource.ENVIRONMENT_VARIABLE);

  private static @Nullable LibTorch loaded;
  private static @Nullable String failure;
  private static Settings configured = Settings.DEFAULT;

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
   * The LibTorch of this process, loaded if it is not yet: with the settings given to {@link
   * #configure}, or else {@link Settings#DEFAULT}.
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
      loaded = loadNow(configured);
      return loaded;
    } catch (CancelledException e) {
      throw e;
    } catch (RuntimeException | LinkageError e) {
      NativeLibraryException refusal = refusal(e);
      failure = refusal.getMessage();
      throw refusal;
    }
  }

  /**
   * As {@link #configure} followed by {@link #load()}.
   *
   * @throws NativeLibraryException also when LibTorch is loaded already with other settings
   */
  public static synchronized LibTorch load(Settings settings) {
    configure(settings);
    return load();
  }

  /**
   * Chooses what loading may change in this process, without loading. The last choice before
   * LibTorch is loaded holds.
   *
   * @throws NativeLibraryException when LibTorch is loaded already with other settings
   */
  public static synchronized void configure(Settings settings) {
    Objects.requireNonNull(settings, "settings");
    if (loaded != null && !loaded.settings.equals(settings)) {
      throw new NativeLibraryException(
          "LibTorch is loaded already, with the settings %s; %s come too late:"
                  .formatted(loaded.settings, settings)
              + " choose them before anything uses LibTorch");
    }
    configured = settings;
  }

  private static LibTorch loadNow(Settings settings) {
    LibTorchSource source = LibTorchSource.choose();
    LoadedLibraries.refuseSecond(source);
    if (settings.has(Settings.Change.HUGE_PAGES)) {
      NativeMemory.askForHugePages();
    }
    if (settings.has(Settings.Change.SHORT_WAITS)) {
      ThreadWaiting.shorten();
    }
    LibTorch library = open(source, settings);
    if (settings.has(Settings.Change.KEEP_MEMORY)) {
      NativeMemory.keep();
    }
    if (settings.has(Settings.Change.ONE_BLAS_THREAD)) {
      NativeThreads.useOneBlasThread(library);
    }
    if (settings.has(Settings.Change.USABLE_CORES)) {
      NativeThreads.useUsableCores(library);
    }
    return library;
  }

  private static NativeLibraryException refusal(Throwable e) {
    return switch (e) {
      case NativeLibraryException known -> known;
      case IllegalCallerException _ -> NativeAccess.refusal(e);
      case RdmException known -> new NativeLibraryException(String.valueOf(known.getMessage()), e);
      default -> new NativeLibraryException("LibTorch cannot be loaded: " + e, e);
    };
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

  /**
   * The exported function {@code name}.
   *
   * @throws NativeLibraryException naming the function, this build's path and its version, when it
   *     is not there
   */
  public MemorySegment function(String name) {
    return find(name)
        .orElseThrow(() ->
            new NativeLibraryException(
                "%s (LibTorch %s) lacks the function %s".formatted(path(), version, name)));
  }

  private static LibTorch open(LibTorchSource source, Settings settings) {
    SymbolLookup symbols = name -> Optional.empty();
    for (Path file : source.files()) {
      symbols = open(file, source).or(symbols);
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
        symbols = open(file, source).or(symbols);
        files.add(file);
      }
      if (source.cudaFiles().isEmpty()) {
        whyNoCuda = Optional.of(NO_CUDA);
      }
    } catch (NativeLibraryException e) {
      // The CPU can be computed on all the same; who asks for CUDA is told this.
      whyNoCuda = Optional.of(String.valueOf(e.getMessage()));
    }
    ErrorText errors = NativeLog.tune(symbols, settings);
    return new LibTorch(source, List.copyOf(files), version, whyNoCuda, symbols, settings, errors);
  }

  private static SymbolLookup open(Path file, LibTorchSource source) {
    try {
      return DynamicLoader.open(file);
    } catch (NativeLibraryException e) {
      String lacking = source.lacking();
      throw lacking.isEmpty() ? e : new NativeLibraryException(e.getMessage() + lacking, e);
    }
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
