// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.metrics.inception.FeatureExtractor;
import org.relaydiffusion.metrics.inception.InceptionFeatures;
import org.relaydiffusion.metrics.inception.OutputLayer;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;

/** Stands in for Inception: a picture's first pixels are its features. */
final class TestFeatures implements ExtractorFactory {
  static final String SHA256 = "0123456789abcdef".repeat(4);

  /** What was asked for, one line a network. */
  final List<String> opened = new ArrayList<>();

  /** Asked to stop after so many batches, if at all. */
  Optional<StopSignal> stop = Optional.empty();

  /** The last layer, for the inception score. */
  @Nullable OutputLayer output;

  int closed;

  @Override
  public Opened open(
      Optional<Path> weights, Map<String, String> environment, Device device, Numerics numerics) {
    opened.add("%s %s %s".formatted(weights.map(Path::toString).orElse("none"), device, numerics));
    return new Opened() {
      @Override
      public FeatureExtractor extractor() {
        return TestFeatures.this::features;
      }

      @Override
      public OutputLayer output() {
        return Objects.requireNonNull(output);
      }

      @Override
      public String sha256() {
        return SHA256;
      }

      @Override
      public void close() {
        closed++;
      }
    };
  }

  private InceptionFeatures features(Tensor images) {
    stop.ifPresent(StopSignal::request);
    Tensor pixels = images.reshape(images.size(0), -1).to(DType.FLOAT32);
    return new InceptionFeatures(Shapes.narrow(pixels, 1, 0, 6), Shapes.narrow(pixels, 1, 6, 4));
  }
}
