// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.transfer.HostValues;
import org.relaydiffusion.diffusion.transfer.HostValues.Sent;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * Augments training images and returns labels that describe the augmentation. It is stateless: all
 * randomness comes from the generator passed to each call.
 *
 * @param options the operations
 * @param numerics exact: all images are transformed by the reference's operations; fast: only
 *     images that change, with fewer operations
 */
public record AugmentPipe(AugmentOptions options, Numerics numerics) {
  /**
   * Augmented images.
   *
   * @param images float32 [N, C, H, W]; if no image was changed, an alias of the input
   * @param labels float32 [N, labelDim] on the device of the images; 0 for operations that were not
   *     applied
   */
  public record Augmented(Tensor images, Tensor labels) {}

  /** Returns the number of labels of an image: the network's {@code augment_dim}. */
  public int labelDim() {
    return options.labelDim();
  }

  /**
   * Augments a batch. No gradients are recorded. Both results belong to the caller's scope.
   *
   * @param images float32 [N, C, H, W] in [-1, 1]; C must be 1 or 3 if colour operations are
   *     enabled
   * @param random draws the values, on any device; each operation draws its values, then whether it
   *     is applied, in the order of {@link AugmentSetting}
   * @throws org.relaydiffusion.OptionException if an operation does not support the images
   */
  public Augmented apply(Tensor images, Generator random) {
    if (images.rank() != 4 || images.dtype() != DType.FLOAT32) {
      throw new RdmException(
          "images to augment must be float32 [N, C, H, W], but found " + images.describe());
    }
    int n = Math.toIntExact(images.size(0));
    int width = Math.toIntExact(images.size(3));
    int height = Math.toIntExact(images.size(2));
    AugmentDraws draws = new AugmentDraws(random, n);
    AugmentLabels labels = new AugmentLabels(n);
    try (GradMode _ = GradMode.noGrad();
        TensorScope scope = TensorScope.open()) {
      Supplier<Blitting> blitting = Blitting.draw(options, draws, labels, width, height);
      Supplier<Geometry> geometry = Geometry.draw(options, draws, labels, width, height);
      Supplier<Colour> colour = Colour.draw(options, draws, labels);
      draws.read();
      HostValues values = new HostValues(images.device());
      List<UnaryOperator<Tensor>> operations = new ArrayList<>();
      operations.add(blitting.get().prepare(values, width, height));
      Geometry moves = geometry.get();
      if (moves.isOn()) {
        operations.add(
            switch (numerics) {
              case EXACT -> ReferenceResampler.prepare(values, moves.maps(), images.shape());
              case FAST -> AffineResampler.prepare(values, moves.sources(), images.shape());
            });
      }
      Colour colours = colour.get();
      if (colours.isOn()) {
        operations.add(colours.prepare(values, images.size(1)));
      }
      Sent described = values.add(labels.tensor());
      values.send();
      Tensor x = images;
      for (UnaryOperator<Tensor> operation : operations) {
        x = operation.apply(x);
      }
      return new Augmented(scope.keep(x), scope.keep(described.get()));
    }
  }
}
