// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import org.relaydiffusion.torch.Tensor;

/** Computes the features of images that metrics compare. */
@FunctionalInterface
public interface FeatureExtractor {
  /**
   * Computes the features of a batch.
   *
   * @param images uint8 [N, C, H, W] with N at least 1 and C 1 (grayscale) or 3 (RGB), of any size;
   *     not modified
   * @return features on the extractor's device, which belong to the innermost scope, or to the
   *     caller
   */
  InceptionFeatures features(Tensor images);
}
