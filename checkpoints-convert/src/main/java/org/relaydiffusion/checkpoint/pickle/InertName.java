package org.relaydiffusion.checkpoint.pickle;

import java.util.Optional;
import org.relaydiffusion.Printable;

/**
 * A class or function that is not known here and stands for its name alone: it is never called.
 * Beside a network that is harmless; whatever uses a value refuses it ({@link InertSearch}).
 *
 * @param name its name in Python
 */
public record InertName(GlobalName name) {
  /** The name as a value; empty for what no honest file has, not even beside its networks. */
  public static Optional<InertName> of(GlobalName name) {
    return CodeNames.runs(name) ? Optional.empty() : Optional.of(new InertName(name));
  }

  /** What is said of a name where only data may be. */
  public static String refusal(GlobalName name) {
    return "%s is not allowed in a checkpoint: %s"
        .formatted(
            Printable.of(name.toString()),
            CodeNames.runs(name)
                ? "it runs code or reaches out of the file"
                : "it is not among the names known to be data");
  }
}
