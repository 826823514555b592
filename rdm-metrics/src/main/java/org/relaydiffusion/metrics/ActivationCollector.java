// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.metrics.inception.FeatureExtractor;
import org.relaydiffusion.metrics.inception.InceptionFeatures;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * Collects the activations of images in memory, batch by batch: pool features are kept as float32
 * (8 kB per image), spatial features only as the sums for their moments.
 *
 * <p>Not thread-safe; {@link #close()} frees everything except the extractor.
 */
public final class ActivationCollector implements ActivationSet {
  private final String name;
  private final FeatureExtractor extractor;
  private final List<Tensor> blocks = new ArrayList<>();
  private @Nullable MomentsAccumulator spatial;

  /**
   * Creates an empty collector.
   *
   * @param name the name used in messages
   * @param extractor computes features from images; remains owned by the caller
   */
  public ActivationCollector(String name, FeatureExtractor extractor) {
    this.name = name;
    this.extractor = extractor;
  }

  /**
   * Adds images.
   *
   * @param images uint8 [N, C, H, W], as for {@link FeatureExtractor}; remain owned by the caller
   * @throws RdmException if the extractor does not support the images
   */
  public void add(Tensor images) {
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      InceptionFeatures features = extractor.features(images);
      // Copied, because it may be a view of more than these rows.
      Tensor pool = Shapes.copy(features.pool().to(Device.CPU).to(DType.FLOAT32).contiguous());
      if (spatial == null) {
        spatial = new MomentsAccumulator(features.spatial().size(1));
      }
      spatial.add(features.spatial());
      blocks.add(pool.release());
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public OptionalLong count() {
    return OptionalLong.of(blocks.stream().mapToLong(block -> block.size(0)).sum());
  }

  @Override
  public boolean hasActivations(Feature feature) {
    return feature == Feature.POOL && !blocks.isEmpty();
  }

  @Override
  public boolean hasMoments(Feature feature) {
    return !blocks.isEmpty();
  }

  @Override
  public long dimensions(Feature feature, String purpose) {
    requireImages(purpose);
    return feature == Feature.SPATIAL && spatial != null
        ? spatial.dimensions()
        : blocks.getFirst().size(1);
  }

  /**
   * As specified by the interface; if images are added afterwards, activations returned before do
   * not include them.
   */
  @Override
  public Activations activations(Feature feature, String purpose) {
    requireImages(purpose);
    if (feature == Feature.SPATIAL) {
      throw new RdmException(
          "%s: %s requires activations, but only the moments of spatial features are kept"
              .formatted(name, purpose));
    }
    if (blocks.size() > 1) {
      Tensor all = Shapes.cat(blocks, 0).release();
      blocks.forEach(Tensor::close);
      blocks.clear();
      blocks.add(all);
    }
    return Activations.of(name, blocks.getFirst());
  }

  @Override
  public Moments moments(Feature feature, String purpose, WorkOptions work) {
    requireImages(purpose);
    return feature == Feature.SPATIAL && spatial != null
        ? spatial.moments()
        : Moments.of(activations(Feature.POOL, purpose), work);
  }

  @Override
  public void close() {
    blocks.forEach(Tensor::close);
    blocks.clear();
    if (spatial != null) {
      spatial.close();
      spatial = null;
    }
  }

  private void requireImages(String purpose) {
    if (blocks.isEmpty()) {
      throw new RdmException(
          "%s: %s requires images, but none were added".formatted(name, purpose));
    }
  }
}
