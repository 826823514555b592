// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import org.relaydiffusion.OptionException;

/** Checks shared by several option records; each message names the option as it is typed. */
final class Check {
  private Check() {}

  static void notNegative(String option, double value) {
    if (!(value >= 0) || Double.isInfinite(value)) {
      throw new OptionException(
          "%s must be a finite number of at least 0, but is %s".formatted(option, value));
    }
  }

  static void positive(String option, double value) {
    if (!(value > 0) || Double.isInfinite(value)) {
      throw new OptionException(
          "%s must be a finite number above 0, but is %s".formatted(option, value));
    }
  }

  static void finite(String option, double value) {
    if (!Double.isFinite(value)) {
      throw new OptionException("%s must be a finite number, but is %s".formatted(option, value));
    }
  }

  static void atMost(String option, int most, int value) {
    if (value > most) {
      throw new OptionException("%s must be at most %s, but is %s".formatted(option, most, value));
    }
  }

  static void atLeast(String option, int least, int value) {
    if (value < least) {
      throw new OptionException(
          "%s must be at least %s, but is %s".formatted(option, least, value));
    }
  }
}
