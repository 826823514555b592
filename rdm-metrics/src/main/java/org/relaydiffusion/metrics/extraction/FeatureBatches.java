// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.metrics.inception.FeatureExtractor;
import org.relaydiffusion.metrics.inception.InceptionFeatures;
import org.relaydiffusion.torch.Comparison;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * Computes the features of the batches of a set.
 *
 * @param set the input, for messages
 */
record FeatureBatches(ImageSet set, ImageSet.Reading reading, FeatureExtractor extractor) {
  /**
   * Adds the features of the next batch to a part.
   *
   * @return number of images in the batch
   * @throws FileException naming an image that cannot be read, or whose features are not finite
   */
  int addNext(PartFormat.Collector part) {
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      ImageSet.Batch batch = reading.next();
      InceptionFeatures made = extractor.features(batch.images());
      InceptionFeatures features =
          new InceptionFeatures(made.pool().to(Device.CPU), made.spatial().to(Device.CPU));
      checkFinite(features.pool(), batch.indices());
      checkFinite(features.spatial(), batch.indices());
      part.add(features);
      return batch.indices().length;
    }
  }

  private void checkFinite(Tensor rows, int[] indices) {
    if (rows.size(0) != indices.length) {
      throw new RdmException(
          "the network returned features %s for %s images"
              .formatted(rows.describe(), indices.length));
    }
    if (Reduction.all(Comparison.isFinite(rows)).item() != 0) {
      return;
    }
    double[] values = rows.toDoubles();
    int bad = 0;
    while (Double.isFinite(values[bad])) {
      bad++;
    }
    throw new FileException(
        set.file(indices[bad / (int) rows.size(1)]),
        "has features that are not finite: the weights of the network must be damaged");
  }
}
