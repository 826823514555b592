// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * JavaCPP's JNI libraries, through which its Java classes call LibTorch functions that are only
 * available in C++.
 *
 * <p>JavaCPP's own loader is never used: on the first use of any of its classes, it would search
 * for some thirty libraries, most of which are in no artifact, and use system libraries with their
 * names, which crashes if another LibTorch is installed. It is therefore configured, for the whole
 * process, to load nothing, and the exact files of the artifacts are loaded here, after LibTorch. A
 * program that also uses other JavaCPP presets must load those first.
 */
public final class JniLibraries {
  private static final Map<String, @Nullable String> FAILURES = new LinkedHashMap<>();

  private JniLibraries() {}

  /**
   * Loads LibTorch and the libraries required by the classes of {@code org.bytedeco.pytorch}. Later
   * calls have no effect, or throw again.
   *
   * @throws NativeLibraryException if LibTorch is not the bundled one, for which these libraries
   *     are built, or a file is missing or cannot be loaded
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
          ("process groups over Gloo require the bundled LibTorch, not %s: unset it to train with"
                  + " several processes on the CPU")
              .formatted(given.origin()));
    }
    return library;
  }

  private static void silenceJavaCpp() {
    System.setProperty("org.bytedeco.javacpp.loadLibraries", "false");
    // It would mistake the memory of tensors for a leak, and free it.
    setUnlessSet("maxBytes", "0");
    setUnlessSet("maxPhysicalBytes", "0");
    // The owner of each of its objects frees it; the garbage collector cannot know when that is
    // safe.
    setUnlessSet("noPointerGC", "true");
  }

  private static void setUnlessSet(String name, String value) {
    String property = "org.bytedeco.javacpp." + name;
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }

  /**
   * Loaded by Java's own loader, through which the class loader of this class finds native methods.
   */
  private static void open(Path file) {
    ElfFile.check(file);
    try {
      System.load(file.toString());
    } catch (UnsatisfiedLinkError e) {
      throw new NativeLibraryException(file + " cannot be loaded: " + e.getMessage(), e);
    }
  }
}
