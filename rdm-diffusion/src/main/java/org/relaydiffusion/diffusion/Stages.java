// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.util.Locale;
import org.relaydiffusion.OptionException;

/** The stages to run ({@code --sampler_stages}). */
public enum Stages {
  /** Both stages. */
  BOTH,
  /** Only the low-resolution diffusion, whose images are the result. */
  FIRST,
  /** Only the high-resolution relay, starting from images provided by the caller. */
  SECOND;

  /** Returns whether {@code stage} runs. */
  public boolean include(Stage stage) {
    return this == BOTH || name().equals(stage.name());
  }

  /**
   * Parses {@code both}, {@code first} or {@code second}.
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
              "--sampler_stages must be both, first or second, but is '%s'".formatted(text));
    };
  }
}
