package org.relaydiffusion.diffusion.augment;

import org.relaydiffusion.RdmException;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * Augments training images and says what it did. It has no state of its own: all randomness comes
 * from the generator that each call is given.
 *
 * @param options what it does
 * @param numerics whether images are moved by the reference's operations, or in fewer and only
 *     where they are moved at all
 */
public record AugmentPipe(AugmentOptions options, Numerics numerics) {
  /**
   * Augmented images.
   *
   * @param images float32 [N, C, H, W]; where nothing was done to any, they share the memory of
   *     those that were given
   * @param labels float32 [N, labelDim] on the images' device: 0 where nothing was done
   */
  public record Augmented(Tensor images, Tensor labels) {}

  /** The number of labels an image has: the network's {@code augment_dim}. */
  public int labelDim() {
    return options.labelDim();
  }

  /**
   * Augments a batch. Nothing is recorded for gradients. Both results belong to the caller's scope.
   *
   * @param images float32 [N, C, H, W] in [-1, 1]; C is 1 or 3 where colour operations are on
   * @param random draws the values, on whatever device it is; each operation draws its value, then
   *     whether it happens, in the order of {@link AugmentSetting}
   * @throws org.relaydiffusion.OptionException when the images are not such as an operation needs
   */
  public Augmented apply(Tensor images, Generator random) {
    if (images.rank() != 4 || images.dtype() != DType.FLOAT32) {
      throw new RdmException(
          "images to augment are float32 [N, C, H, W], but this is " + images.describe());
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
