// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * The folder for unpacked libraries and downloads: one given by the user, or one in the user's
 * home. The default is never below the current folder or a folder for temporary files, where
 * another user could create it first.
 *
 * @param path an absolute path
 * @param origin the property or variable that determined it
 */
public record CacheFolder(Path path, String origin) {
  /** The variable that sets the folder. */
  static final String ENVIRONMENT_VARIABLE = "RDM_CACHE";

  /** The system property that sets the folder; it takes precedence over the variable. */
  static final String SYSTEM_PROPERTY = "rdm.cache";

  /** JavaCPP's own property for the same purpose. */
  static final String JAVACPP_PROPERTY = "org.bytedeco.javacpp.cachedir";

  private static final String NAME = "rdm";

  /**
   * Returns the folder of this process, which need not exist.
   *
   * @throws NativeLibraryException if it cannot be determined, or is not an absolute path
   */
  static CacheFolder choose() {
    return choose(System.getProperties(), System.getenv());
  }

  /**
   * Returns the folder for these properties and variables, which need not exist.
   *
   * @throws NativeLibraryException if it cannot be determined, or is not an absolute path
   */
  public static CacheFolder choose(Properties properties, Map<String, String> environment) {
    return asked(properties.getProperty(SYSTEM_PROPERTY), "-D" + SYSTEM_PROPERTY)
        .or(() -> asked(environment.get(ENVIRONMENT_VARIABLE), ENVIRONMENT_VARIABLE))
        .or(() -> asked(properties.getProperty(JAVACPP_PROPERTY), "-D" + JAVACPP_PROPERTY))
        .or(() -> usual(environment, "XDG_CACHE_HOME", ""))
        .or(() -> ofSystem(properties.getProperty("os.name", ""), environment))
        .orElseThrow(() ->
            new NativeLibraryException(
                "cannot determine a folder for LibTorch's libraries and downloads: neither"
                    + " XDG_CACHE_HOME nor HOME is an absolute path; set %s=DIR or -D%s=DIR"
                        .formatted(ENVIRONMENT_VARIABLE, SYSTEM_PROPERTY)));
  }

  private static Optional<CacheFolder> asked(@Nullable String value, String by) {
    if (value == null || value.isBlank()) {
      return Optional.empty();
    }
    return Optional.of(
        absolute(value)
            .map(p -> new CacheFolder(p, by + "=" + value))
            .orElseThrow(() ->
                new NativeLibraryException(
                    "%s=%s: expected the absolute path of a folder".formatted(by, value))));
  }

  private static Optional<CacheFolder> ofSystem(String os, Map<String, String> environment) {
    String system = os.toLowerCase(Locale.ROOT);
    if (system.startsWith("windows")) {
      return usual(environment, "LOCALAPPDATA", "");
    }
    return usual(environment, "HOME", system.startsWith("mac") ? "Library/Caches" : ".cache");
  }

  // The XDG specification requires that relative paths are ignored.
  private static Optional<CacheFolder> usual(
      Map<String, String> environment, String variable, String below) {
    return absolute(environment.getOrDefault(variable, ""))
        .map(p -> new CacheFolder(p.resolve(below).resolve(NAME), variable));
  }

  private static Optional<Path> absolute(String path) {
    try {
      return Optional.of(Path.of(path)).filter(Path::isAbsolute).map(Path::normalize);
    } catch (InvalidPathException e) {
      return Optional.empty();
    }
  }
}
