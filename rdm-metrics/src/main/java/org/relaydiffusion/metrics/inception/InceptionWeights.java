// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.relaydiffusion.FileException;
import org.relaydiffusion.checkpoint.ModuleFile;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;
import org.relaydiffusion.io.PathVariable;

/** Locates the file with the weights of Inception-v3. */
public final class InceptionWeights {
  /** The environment variable that names the file. */
  public static final String VARIABLE = "RDM_INCEPTION";

  static final String EDITION_KEY = "rdm.inception";
  static final String EDITION = "2015-12-05";

  private static final String FILE_NAME = "inception-2015-12-05.safetensors";
  private static final int CHUNK = 1 << 20;

  private InceptionWeights() {}

  /**
   * Returns the file to use: that of the option, otherwise that of {@value #VARIABLE}, otherwise
   * {@link #cached}.
   *
   * @param option the value of {@code --inception}
   * @param environment the variables of the process
   * @throws FileException if it does not exist, with instructions for obtaining it
   */
  public static Path locate(Optional<Path> option, Map<String, String> environment) {
    Path cached = cached(environment);
    Path chosen = option.or(() -> PathVariable.of(environment, VARIABLE)).orElse(cached);
    if (Files.exists(chosen) && !Files.isDirectory(chosen)) {
      return chosen;
    }
    throw new FileException(
        chosen,
        "Inception-v3 not found: download NVIDIA's inception-2015-12-05.pkl (metrics folder of"
            + " the StyleGAN3 release on NGC), pytorch-fid's"
            + " pt_inception-2015-12-05-6726825d.pth (GitHub releases) or torch-fidelity's"
            + " weights-inception-2015-12-05-6726825d.pth (GitHub releases), then run: "
            + command("FILE", chosen, cached));
  }

  /**
   * Returns the default location of the file: in folder rdm of the user's cache ({@code
   * XDG_CACHE_HOME}, otherwise {@code ~/.cache}).
   *
   * @param environment the variables of the process
   */
  public static Path cached(Map<String, String> environment) {
    // The XDG specification requires that relative paths are ignored.
    Path cache =
        PathVariable.of(environment, "XDG_CACHE_HOME")
            .filter(Path::isAbsolute)
            .orElseGet(() -> home(environment).resolve(".cache"));
    return cache.resolve("rdm").resolve(FILE_NAME);
  }

  private static Path home(Map<String, String> environment) {
    return PathVariable.of(environment, "HOME")
        .orElseGet(() -> Path.of(System.getProperty("user.home")));
  }

  private static String command(String source, Path target, Path cached) {
    String command = "rdm convert --inception --source " + source;
    return target.equals(cached) ? command : command + " --dest " + target;
  }

  /**
   * Returns whether tensors with these names are those of Inception-v3, in either family of files.
   */
  public static boolean areNamed(Set<String> names) {
    return InceptionState.isAmong(names);
  }

  /**
   * Opens a converted file.
   *
   * @throws FileException if it is not one, with instructions for converting it if possible
   */
  static ModuleFile open(Path path) {
    ModuleFile file = ModuleFile.open(path);
    if (EDITION.equals(file.metadata().get(EDITION_KEY))) {
      return file;
    }
    try (file) {
      String found = "is a %s, not a converted Inception-v3".formatted(file.kind());
      throw new FileException(
          path,
          InceptionState.isIn(file)
              ? "%s: run rdm convert --inception --source %s".formatted(found, path)
              : found);
    }
  }

  /** Returns the SHA-256 of the content of a file, in hexadecimal. */
  static String sha256(Path path) {
    try (InputStream in = InputFile.stream(path)) {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      byte[] chunk = new byte[CHUNK];
      for (int n = in.read(chunk); n >= 0; n = in.read(chunk)) {
        digest.update(chunk, 0, n);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw new FileException(path, "cannot be read: " + AtomicFile.reason(e), e);
    } catch (NoSuchAlgorithmException e) {
      // Every Java implementation supports SHA-256.
      throw new IllegalStateException(e);
    }
  }
}
