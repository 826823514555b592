package org.relaydiffusion.metrics;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.relaydiffusion.model.Numerics;

/**
 * Which network made the features in a file: a line in the comment of the .npz, which numpy passes
 * over. Features of different networks cannot be compared.
 */
public final class Provenance {
  private static final Pattern LINE = Pattern.compile("inception-sha256=([0-9a-f]{64})");

  private Provenance() {}

  /**
   * The comment of a file.
   *
   * @param sha256 of the network's weights, 64 hexadecimal digits
   * @param numerics how it computed
   */
  public static String comment(String sha256, Numerics numerics) {
    return "inception-sha256=%s numerics=%s".formatted(sha256, numerics);
  }

  /** The SHA-256 of the weights that a file's comment tells. */
  static Optional<String> sha256(String comment) {
    Matcher line = LINE.matcher(comment);
    return line.find() ? Optional.of(line.group(1)) : Optional.empty();
  }
}
