// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.metrics.inception.FeatureExtractor;
import org.relaydiffusion.metrics.inception.Inception;
import org.relaydiffusion.metrics.inception.InceptionWeights;
import org.relaydiffusion.metrics.inception.OutputLayer;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;

/** Loads Inception-v3 (2015-12-05) from the file given by the options or the environment. */
public final class InceptionFactory implements ExtractorFactory {
  @Override
  public Opened open(
      Optional<Path> weights, Map<String, String> environment, Device device, Numerics numerics) {
    return new OpenInception(
        Inception.open(
            InceptionWeights.locate(weights, environment),
            new LoadOptions(numerics, DType.FLOAT32, device)));
  }

  private record OpenInception(Inception network) implements Opened {
    @Override
    public FeatureExtractor extractor() {
      return network;
    }

    @Override
    public OutputLayer output() {
      return network.output();
    }

    @Override
    public String sha256() {
      return network.sha256();
    }

    @Override
    public void close() {
      network.close();
    }
  }
}
