package org.relaydiffusion.metrics;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.relaydiffusion.model.Numerics;

/**
 * Which network made the features in a file, and of which pictures of a data set: a line in the
 * comment of the .npz, which numpy passes over. Features of different networks cannot be compared.
 */
public final class Provenance {
  private static final Pattern LINE = Pattern.compile("inception-sha256=([0-9a-f]{64})");

  private static final Pattern SUBSET =
      Pattern.compile("subset=(\\d{1,10})/(\\d{1,10}) subset-seed=(-?\\d{1,19})");

  private Provenance() {}

  /**
   * Pictures that were drawn from a data set, as {@code random.Subset} draws them.
   *
   * @param images how many were drawn
   * @param of how many there were
   * @param seed of the draw
   */
  public record Drawn(int images, int of, long seed) {}

  /**
   * The comment of a file.
   *
   * @param sha256 of the network's weights, 64 hexadecimal digits
   * @param numerics how it computed
   */
  public static String comment(String sha256, Numerics numerics) {
    return "inception-sha256=%s numerics=%s".formatted(sha256, numerics);
  }

  /** The comment of a file whose pictures were drawn. */
  public static String comment(String sha256, Numerics numerics, Drawn drawn) {
    return "%s subset=%s/%s subset-seed=%s"
        .formatted(comment(sha256, numerics), drawn.images(), drawn.of(), drawn.seed());
  }

  /** How the pictures were drawn that a file's features are of; empty when they were not. */
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
      // Anybody may have written the file.
      return Optional.of(drawn).filter(d -> d.images() >= 1 && d.images() <= d.of());
    } catch (NumberFormatException _) {
      return Optional.empty();
    }
  }

  /** The SHA-256 of the weights that a file's comment tells. */
  static Optional<String> sha256(String comment) {
    Matcher line = LINE.matcher(comment);
    return line.find() ? Optional.of(line.group(1)) : Optional.empty();
  }
}
