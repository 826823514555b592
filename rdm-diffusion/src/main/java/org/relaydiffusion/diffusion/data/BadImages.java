package org.relaydiffusion.diffusion.data;

import java.util.Locale;

/** What is done about pictures that cannot be part of a data set. */
public enum BadImages {
  /** All are looked for, then nothing is done; the error has the first ones and their number. */
  FAIL,
  /** They are left out. */
  SKIP,
  /** They are looked for and told, and nothing else is done. */
  LIST;

  /** As the command line has it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
