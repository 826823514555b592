// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;

/** Collects the labels of a batch by columns. */
final class AugmentLabels {
  private final int images;
  private final List<float[]> columns = new ArrayList<>();

  AugmentLabels(int images) {
    this.images = images;
  }

  /** Computes a label of an image. */
  interface Label {
    double of(int image);
  }

  /** Adds a column. */
  void add(Label label) {
    float[] column = new float[images];
    for (int i = 0; i < images; i++) {
      column[i] = (float) label.of(i);
    }
    columns.add(column);
  }

  /** Adds a column, float32 [N]. */
  void add(Tensor column) {
    columns.add(column.toFloats());
  }

  /** Returns all columns: float32 [N, columns] on the CPU. */
  Tensor tensor() {
    int width = columns.size();
    float[] rows = new float[images * width];
    for (int i = 0; i < images; i++) {
      for (int c = 0; c < width; c++) {
        rows[i * width + c] = columns.get(c)[i];
      }
    }
    return Torch.tensor(rows, images, width);
  }
}
