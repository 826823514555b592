package org.relaydiffusion.nativeconfig;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * JavaCPP's JNI libraries, through which its Java classes call what LibTorch has in C++ only.
 *
 * <p>JavaCPP's own way of loading them is never taken: on the first use of any of its classes it
 * would look for some thirty libraries, of which most are in no artifact, and take what the system
 * has under their names, which crashes where another LibTorch is installed. So it is told, for the
 * life of the process, to load nothing, and the exact files of the artifacts are loaded here, after
 * LibTorch. A program that also uses other JavaCPP presets loads those before.
 */
public final class JniLibraries {
  private static final Map<String, @Nullable String> FAILURES = new LinkedHashMap<>();

  private JniLibraries() {}

  /**
   * Loads what the classes of {@code org.bytedeco.pytorch} need, and LibTorch before it. Later
   * calls do nothing, or throw again.
   *
   * @throws NativeLibraryException when LibTorch is not the bundled one, which these libraries are
   *     made for, or a file is missing or cannot be loaded
   */
  public static void load() {
    once(
        "jnitorch",
        () -> {
          bundled();
          silenceJavaCpp();
          open(BundledLibraries.jni("javacpp", "jnijavacpp"));
          open(BundledLibraries.jni("pytorch", "jnitorch"));
        });
  }

  /**
   * Loads what the classes of {@code org.bytedeco.pytorch.nccl} need.
   *
   * @throws NativeLibraryException also when this build of LibTorch is without CUDA
   */
  public static void loadNccl() {
    load();
    once(
        "jnitorch_nccl",
        () -> {
          Optional<String> whyNoCuda = bundled().whyNoCuda();
          if (whyNoCuda.isPresent()) {
            throw new NativeLibraryException("NCCL cannot be used: " + whyNoCuda.get());
          }
          open(BundledLibraries.jni("pytorch", "jnitorch_nccl"));
        });
  }

  private static synchronized void once(String name, Runnable steps) {
    if (!FAILURES.containsKey(name)) {
      try {
        steps.run();
        FAILURES.put(name, null);
      } catch (NativeLibraryException e) {
        FAILURES.put(name, e.getMessage());
        throw e;
      }
    }
    String failure = FAILURES.get(name);
    if (failure != null) {
      throw new NativeLibraryException(failure);
    }
  }

  private static LibTorch bundled() {
    LibTorch library = LibTorch.load();
    if (library.source() instanceof LibTorchSource.Given given) {
      throw new NativeLibraryException(
          "process groups need the bundled LibTorch, not %s: unset it to train on several processes"
              .formatted(given.origin()));
    }
    return library;
  }

  private static void silenceJavaCpp() {
    System.setProperty("org.bytedeco.javacpp.loadLibraries", "false");
    // It would take the memory of tensors for a leak, and end what it is asked to do.
    setUnlessSet("maxBytes", "0");
    setUnlessSet("maxPhysicalBytes", "0");
    // Whoever makes one of its objects frees it; the collector cannot know when that is right.
    setUnlessSet("noPointerGC", "true");
  }

  private static void setUnlessSet(String name, String value) {
    String property = "org.bytedeco.javacpp." + name;
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }

  /** By Java's own loader, which finds the functions of classes of this class's loader in it. */
  private static void open(Path file) {
    ElfFile.check(file);
    try {
      System.load(file.toString());
    } catch (UnsatisfiedLinkError e) {
      throw new NativeLibraryException(file + " cannot be loaded: " + e.getMessage(), e);
    }
  }
}
