// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;

/**
 * One row of the table of {@link GpuBenchmark}.
 *
 * @param network of the official shapes: 64 or 256 pixels
 * @param variant how it is loaded
 * @param layout of activations and convolution weights
 * @param batch number of images
 * @param mode how a pass is launched
 */
record GpuCase(int network, Variant variant, Layout layout, int batch, Mode mode) {
  /** Numerics and type. */
  enum Variant {
    EXACT("exact float32", Numerics.EXACT, DType.FLOAT32),
    FAST("fast float32", Numerics.FAST, DType.FLOAT32),
    BF16("fast bfloat16", Numerics.FAST, DType.BFLOAT16),
    FP16("fast float16", Numerics.FAST, DType.FLOAT16);

    final String text;
    final Numerics numerics;
    final DType dtype;

    Variant(String text, Numerics numerics, DType dtype) {
      this.text = text;
      this.numerics = numerics;
      this.dtype = dtype;
    }
  }

  /** The order of the axes in memory. */
  enum Layout {
    ROWS("row-major"),
    CHANNELS("channels-last");

    final String text;

    Layout(String text) {
      this.text = text;
    }
  }

  /** One call for each operator, or one for all. */
  enum Mode {
    EAGER("eager"),
    GRAPH("graph");

    final String text;

    Mode(String text) {
      this.text = text;
    }
  }

  /**
   * Cases of one network, which is loaded once for them.
   *
   * @param network of the official shapes
   * @param variant how it is loaded
   * @param cases the most important first
   */
  record Group(int network, Variant variant, List<GpuCase> cases) {}

  private static final List<Integer> BATCHES_64 = List.of(16, 1, 64, 4);
  private static final List<Integer> BATCHES_256 = List.of(4, 1, 16);

  /** Returns all cases, the most important group first. */
  static List<Group> all() {
    List<Group> groups = new ArrayList<>();
    for (int network : new int[] {64, 256}) {
      for (Variant variant : List.of(Variant.BF16, Variant.EXACT, Variant.FP16, Variant.FAST)) {
        groups.add(group(network, variant));
      }
    }
    return groups;
  }

  private static Group group(int network, Variant variant) {
    List<GpuCase> cases = new ArrayList<>();
    // Weights change their layout once.
    for (Layout layout : Layout.values()) {
      for (int batch : network == 64 ? BATCHES_64 : BATCHES_256) {
        for (Mode mode : Mode.values()) {
          cases.add(new GpuCase(network, variant, layout, batch, mode));
        }
      }
    }
    return new Group(network, variant, cases);
  }

  /** Returns the case in words. */
  String text() {
    return "ADM %s px, %s, %s, batch %s, %s"
        .formatted(network, variant.text, layout.text, batch, mode.text);
  }
}
