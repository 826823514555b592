// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.relaydiffusion.model.Numerics;

/**
 * The origin of the features in a file, its network and the subset of the data set: a line in the
 * comment of the .npz, which numpy ignores. Features of different networks cannot be compared.
 */
public final class Provenance {
  private static final Pattern LINE = Pattern.compile("inception-sha256=([0-9a-f]{64})");

  private static final Pattern SUBSET =
      Pattern.compile("subset=(\\d{1,10})/(\\d{1,10}) subset-seed=(-?\\d{1,19})");

  private Provenance() {}

  /**
   * A random subset of the images of a data set, as drawn by {@code random.Subset}.
   *
   * @param images number of images drawn
   * @param of number of images of the data set
   * @param seed of the draw
   */
  public record Drawn(int images, int of, long seed) {}

  /**
   * Returns the comment of a file.
   *
   * @param sha256 of the network's weights, 64 hexadecimal digits
   * @param numerics of the network
   */
  public static String comment(String sha256, Numerics numerics) {
    return "inception-sha256=%s numerics=%s".formatted(sha256, numerics);
  }

  /** Returns the comment of a file with the features of a subset. */
  public static String comment(String sha256, Numerics numerics, Drawn drawn) {
    return "%s subset=%s/%s subset-seed=%s"
        .formatted(comment(sha256, numerics), drawn.images(), drawn.of(), drawn.seed());
  }

  /** Returns the subset of a file's features; empty for a complete set. */
  static Optional<Drawn> drawn(String comment) {
    Matcher subset = SUBSET.matcher(comment);
    try {
      if (!subset.find()) {
        return Optional.empty();
      }
      Drawn drawn =
          new Drawn(
              Integer.parseInt(subset.group(1)),
              Integer.parseInt(subset.group(2)),
              Long.parseLong(subset.group(3)));
      // Untrusted: the file may have been written by any program.
      return Optional.of(drawn).filter(d -> d.images() >= 1 && d.images() <= d.of());
    } catch (NumberFormatException _) {
      return Optional.empty();
    }
  }

  /** Returns the SHA-256 of the weights in a file's comment. */
  static Optional<String> sha256(String comment) {
    Matcher line = LINE.matcher(comment);
    return line.find() ? Optional.of(line.group(1)) : Optional.empty();
  }
}
