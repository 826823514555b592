package org.relaydiffusion.diffusion;

import java.util.Locale;
import org.relaydiffusion.OptionException;

/** Which stages of the relay run ({@code --sampler_stages}). */
public enum Stages {
  /** The whole relay. */
  BOTH,
  /** Only the low-resolution diffusion: its images are the result. */
  FIRST,
  /** Only the high-resolution relay, from pictures that the caller brings. */
  SECOND;

  /** Whether {@code stage} runs. */
  public boolean include(Stage stage) {
    return this == BOTH || name().equals(stage.name());
  }

  /**
   * Reads {@code both}, {@code first} or {@code second}.
   *
   * @throws OptionException for anything else
   */
  public static Stages parse(String text) {
    return switch (text.toLowerCase(Locale.ROOT)) {
      case "both" -> BOTH;
      case "first" -> FIRST;
      case "second" -> SECOND;
      default ->
          throw new OptionException(
              "--sampler_stages is 'both', 'first' or 'second', not '%s'".formatted(text));
    };
  }
}
