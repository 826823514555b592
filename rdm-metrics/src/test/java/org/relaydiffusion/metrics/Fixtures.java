// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import org.relaydiffusion.metrics.npy.NpyReader;
import org.relaydiffusion.metrics.npy.NpzFile;
import org.relaydiffusion.model.safetensors.SafetensorsFile;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** The reference's activations, statistics and scores, from the repository's fixtures. */
final class Fixtures {
  static final Path SAMPLE = path("metrics/fid_pr/sample.npz");
  static final Path REFERENCE = path("metrics/fid_pr/ref.npz");

  private Fixtures() {}

  static Path path(String name) {
    return Path.of(System.getProperty("rdm.fixtures"), name);
  }

  static double expected(String name) {
    return json().get(name).asDouble();
  }

  /** Precision and recall. */
  static double[] expectedPair(String name) {
    JsonNode pair = json().get(name);
    return new double[] {pair.get(0).asDouble(), pair.get(1).asDouble()};
  }

  private static JsonNode json() {
    return new ObjectMapper().readTree(path("metrics/fid_pr/expected.json").toFile());
  }

  /** A copy of a tensor of stats.safetensors, in the innermost scope. */
  static Tensor statistic(String name) {
    return tensor("metrics/fid_pr/stats.safetensors", name);
  }

  /** A copy of a tensor of radii.safetensors, in the innermost scope. */
  static Tensor radii(String name) {
    return tensor("metrics/fid_pr/radii.safetensors", name);
  }

  /** A copy of a tensor of a safetensors file, in the innermost scope. */
  static Tensor tensor(String file, String name) {
    try (SafetensorsFile tensors = SafetensorsFile.open(path(file));
        Tensor view = Torch.fromData(requireNonNull(tensors.tensors().get(name)))) {
      return Shapes.copy(view);
    }
  }

  /** All rows of an array, float64 [N, D], in the innermost scope. */
  static Tensor rows(Path file, String array) {
    try (NpzFile npz = NpzFile.open(file);
        NpyReader reader = npz.array(array)) {
      return reader.read(reader.remainingRows());
    }
  }

  static Moments moments(Tensor rows) {
    try (MomentsAccumulator sums = new MomentsAccumulator(rows.size(1))) {
      sums.add(rows);
      return sums.moments();
    }
  }
}
