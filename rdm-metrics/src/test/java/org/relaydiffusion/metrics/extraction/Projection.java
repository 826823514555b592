// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

import java.util.Random;
import org.relaydiffusion.metrics.inception.FeatureExtractor;
import org.relaydiffusion.metrics.inception.InceptionFeatures;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;

/** Stands in for Inception: fixed random projections of the pixels. Threads may share it. */
final class Projection implements FeatureExtractor, AutoCloseable {
  static final int POOL = 12;
  static final int SPATIAL = 9;

  private final Tensor pool = weights(1, POOL);
  private final Tensor spatial = weights(2, SPATIAL);

  private static Tensor weights(int seed, int features) {
    int pixels = 3 * Pictures.SIDE * Pictures.SIDE;
    Random random = new Random(seed);
    float[] values = new float[pixels * features];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian() / 255;
    }
    return Torch.tensor(values, pixels, features).release();
  }

  @Override
  public InceptionFeatures features(Tensor images) {
    Tensor pixels = images.reshape(images.size(0), -1).to(DType.FLOAT32);
    return new InceptionFeatures(
        LinearAlgebra.matmul(pixels, pool), LinearAlgebra.matmul(pixels, spatial));
  }

  @Override
  public void close() {
    pool.close();
    spatial.close();
  }
}
