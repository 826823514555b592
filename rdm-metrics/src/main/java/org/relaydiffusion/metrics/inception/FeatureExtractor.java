package org.relaydiffusion.metrics.inception;

import org.relaydiffusion.torch.Tensor;

/** Turns images into the features that metrics compare. */
@FunctionalInterface
public interface FeatureExtractor {
  /**
   * The features of a batch.
   *
   * @param images uint8 [N, C, H, W] with N at least 1, C 1 (grey) or 3 (RGB), of any size
   * @return features on the extractor's device, which belong to the innermost scope, or to the
   *     caller
   */
  InceptionFeatures features(Tensor images);
}
