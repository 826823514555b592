// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.augment;

import org.relaydiffusion.RdmException;
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
      Blitting blitting = Blitting.draw(options, draws, labels, width, height);
      Geometry geometry = Geometry.draw(options, draws, labels, width, height);
      Colour colour = Colour.draw(options, draws, labels);
      Tensor x = blitting.apply(images);
      if (geometry.isOn()) {
        x =
            switch (numerics) {
              case EXACT -> ReferenceResampler.apply(x, geometry.maps());
              case FAST -> AffineResampler.apply(x, geometry.sources());
            };
      }
      if (colour.isOn()) {
        x = colour.apply(x);
      }
      return new Augmented(scope.keep(x), scope.keep(labels.tensor().to(images.device())));
    }
  }
}
