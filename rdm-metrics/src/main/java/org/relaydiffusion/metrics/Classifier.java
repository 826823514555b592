// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.metrics.inception.OutputLayer;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** Inception's output layer followed by softmax, for rows on any thread. */
final class Classifier implements AutoCloseable {
  private final String source;
  private final int splitSize;
  private final Tensor weight;
  private final float[] bias;

  /**
   * The probabilities of the rows of a block that belong to one split.
   *
   * @param split its index
   * @param sums over the rows
   */
  record Part(long split, ClassSums sums) {}

  /**
   * Creates a classifier with a copy of a layer.
   *
   * @param source the name of the rows in messages
   */
  Classifier(String source, OutputLayer layer, InceptionScore.Options options) {
    this.source = source;
    splitSize = options.splitSize();
    try (TensorScope _ = TensorScope.open()) {
      weight = Shapes.copy(layer.weight().detach().to(Device.CPU)).release();
      bias =
          switch (options.bias()) {
            case WITH -> layer.bias().detach().toFloats();
            case NONE -> new float[(int) layer.bias().size(0)];
          };
    }
  }

  /**
   * Sums the class probabilities of a block.
   *
   * @throws RdmException naming a row that is not finite, or whose logits are not finite
   */
  List<Part> classify(PlainRows block) {
    Survey.requireFinite(source, block);
    float[] products = products(block);
    List<Part> parts = new ArrayList<>();
    double[] logits = new double[bias.length];
    for (int row = 0; row < block.count(); row++) {
      long split = (block.first() + row) / splitSize;
      if (parts.isEmpty() || parts.getLast().split() != split) {
        parts.add(new Part(split, new ClassSums(bias.length)));
      }
      for (int c = 0; c < bias.length; c++) {
        // A float32 sum, as in the network itself.
        logits[c] = products[row * bias.length + c] + bias[c];
      }
      if (!parts.getLast().sums().add(logits)) {
        throw new RdmException(
            "%s: row %s has infinite or NaN logits".formatted(source, block.first() + row));
      }
    }
    return parts;
  }

  private float[] products(PlainRows block) {
    float[] rounded = new float[block.values().length];
    for (int i = 0; i < rounded.length; i++) {
      rounded[i] = (float) block.values()[i];
    }
    Tensor x = Torch.tensor(rounded, block.count(), block.dimensions());
    return LinearAlgebra.matmul(x, Shapes.transpose(weight, 0, 1)).toFloats();
  }

  @Override
  public void close() {
    weight.close();
  }
}
