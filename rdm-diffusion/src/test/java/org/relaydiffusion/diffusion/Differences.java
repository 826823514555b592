// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import static org.assertj.core.api.Assertions.assertThat;

import org.relaydiffusion.diffusion.image.Pixels;

/**
 * How far pictures are apart, value by value.
 *
 * @param counts how many values differ by 0, 1, ... 255 grey levels
 */
record Differences(int[] counts) {
  Differences() {
    this(new int[256]);
  }

  void add(Pixels actual, Pixels expected) {
    assertThat(actual).hasToString(expected.toString());
    for (int i = 0; i < actual.data().length; i++) {
      counts[Math.abs((actual.data()[i] & 0xff) - (expected.data()[i] & 0xff))]++;
    }
  }

  int largest() {
    int largest = 0;
    for (int i = 0; i < counts.length; i++) {
      largest = counts[i] > 0 ? i : largest;
    }
    return largest;
  }

  double partAbove(int level) {
    long all = 0;
    long above = 0;
    for (int i = 0; i < counts.length; i++) {
      all += counts[i];
      above += i > level ? counts[i] : 0;
    }
    return (double) above / all;
  }
}
