package org.relaydiffusion.nativeconfig;

import java.nio.file.Path;
import java.util.List;

/** Where LibTorch comes from: exact files in a fixed order, never a search of system folders. */
public sealed interface LibTorchSource {
  /** The environment variable that names a folder with another LibTorch. */
  String ENVIRONMENT_VARIABLE = "RDM_LIBTORCH";

  /** The system property that does the same, and wins over the variable. */
  String SYSTEM_PROPERTY = "rdm.libtorch";

  /** The property's value for the bundled libraries, whatever the variable says. */
  String BUNDLED = "bundled";

  /** The files that must load, in the order in which they are loaded. */
  List<Path> files();

  /**
   * The CUDA half, in the order in which it is loaded after {@link #files()}; empty without one.
   */
  List<Path> cudaFiles();

  /** One phrase that says where this comes from, for messages. */
  String origin();

  /** The libraries in this project's Maven artifacts. */
  record Bundled(List<Path> files, List<Path> cudaFiles) implements LibTorchSource {
    @Override
    public String origin() {
      return "the bundled LibTorch";
    }
  }

  /**
   * A LibTorch of the user's.
   *
   * @param folder the folder that holds {@code libtorch_cpu}
   * @param by the variable or property that named it
   */
  record Given(Path folder, List<Path> files, List<Path> cudaFiles, String by)
      implements LibTorchSource {
    @Override
    public String origin() {
      return by + "=" + folder;
    }
  }

  /**
   * The user's choice if there is one, else the bundled libraries.
   *
   * @throws NativeLibraryException when there are no libraries where the choice points, or the
   *     bundled ones are not on the class or module path
   */
  static LibTorchSource choose() {
    String property = System.getProperty(SYSTEM_PROPERTY);
    if (BUNDLED.equals(property)) {
      return BundledLibraries.locate();
    }
    if (property != null && !property.isBlank()) {
      return GivenLibraries.locate(property, SYSTEM_PROPERTY);
    }
    String variable = System.getenv(ENVIRONMENT_VARIABLE);
    if (variable != null && !variable.isBlank()) {
      return GivenLibraries.locate(variable, ENVIRONMENT_VARIABLE);
    }
    return BundledLibraries.locate();
  }
}
