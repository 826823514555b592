// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.relaydiffusion.checkpoint.TensorSources;
import org.relaydiffusion.metrics.inception.InceptionConverter;
import org.relaydiffusion.metrics.inception.InceptionV3;
import org.relaydiffusion.model.safetensors.SafetensorsWriter;
import org.relaydiffusion.model.safetensors.TensorSource;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.TensorScope;

/**
 * A converted file of Inception-v3 with random weights, with the same cost as the published one.
 */
final class RandomInception {
  private static final long SEED = 1;

  private RandomInception() {}

  /**
   * Writes one.
   *
   * @return its path, in {@code folder}
   */
  static Path write(Path folder) throws IOException {
    Path source = folder.resolve("inception-source.safetensors");
    Path weights = folder.resolve("inception.safetensors");
    try (InceptionV3 network = new InceptionV3();
        Generator generator = Generator.seeded(SEED);
        TensorScope _ = TensorScope.open()) {
      network.initialize(generator);
      Map<String, TensorSource> sources = new LinkedHashMap<>();
      network.state().forEach((name, p) -> sources.put(name, TensorSources.of(p.value())));
      SafetensorsWriter.writeSources(source, sources, Map.of());
      new InceptionConverter().convert(source, weights);
    } finally {
      Files.deleteIfExists(source);
    }
    return weights;
  }
}
