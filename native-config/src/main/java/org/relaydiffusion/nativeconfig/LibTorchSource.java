// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.nio.file.Path;
import java.util.List;

/** The location of LibTorch: exact files in a fixed order; system folders are never searched. */
public sealed interface LibTorchSource {
  /** The environment variable that selects another LibTorch by its folder. */
  String ENVIRONMENT_VARIABLE = "RDM_LIBTORCH";

  /** The system property that selects another LibTorch; it takes precedence over the variable. */
  String SYSTEM_PROPERTY = "rdm.libtorch";

  /** The value of the property that selects the bundled libraries, regardless of the variable. */
  String BUNDLED = "bundled";

  /** Returns the files to load, in order. */
  List<Path> files();

  /**
   * Returns the files of the CUDA part, in the order in which they are loaded after {@link
   * #files()}; empty without one.
   */
  List<Path> cudaFiles();

  /** Returns what to add to the reason why a file cannot be loaded; empty if nothing is known. */
  default String lacking() {
    return "";
  }

  /** Returns a phrase that names the location, for messages. */
  String origin();

  /**
   * The libraries in the Maven artifacts of this project.
   *
   * @param files the files to load, in order
   * @param cudaFiles the files of the CUDA part, in order
   * @param missing the artifacts of the CUDA build that are not on the class path
   */
  record Bundled(List<Path> files, List<Path> cudaFiles, List<String> missing)
      implements LibTorchSource {
    @Override
    public String lacking() {
      return BundledLibraries.lacking(missing);
    }

    @Override
    public String origin() {
      return "the bundled LibTorch";
    }
  }

  /**
   * A LibTorch selected by the user.
   *
   * @param folder the folder with {@code libtorch_cpu}
   * @param files the files to load, in order
   * @param cudaFiles the files of the CUDA part, in order
   * @param by the variable or property that selected it
   */
  record Given(Path folder, List<Path> files, List<Path> cudaFiles, String by)
      implements LibTorchSource {
    @Override
    public String origin() {
      return by + "=" + folder;
    }
  }

  /**
   * Returns the LibTorch selected by the user, otherwise the bundled one.
   *
   * @throws NativeLibraryException if the selected folder has no libraries, or the bundled ones are
   *     not on the class or module path
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
