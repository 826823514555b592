// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.relaydiffusion.model.safetensors.SafetensorsFile;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/** The reference's own tensors and settings, from the repository's fixtures. */
final class Fixtures {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Fixtures() {}

  static Path path(String name) {
    return Path.of(System.getProperty("rdm.fixtures"), name);
  }

  static JsonNode json(String name) {
    return JSON.readTree(path(name).toFile());
  }

  @SuppressWarnings("unchecked")
  static Map<String, Object> kwargs(JsonNode node) {
    return JSON.convertValue(node, Map.class);
  }

  /** Copies of every tensor of a file, in the innermost scope. */
  static Map<String, Tensor> tensors(String name) {
    Map<String, Tensor> all = new LinkedHashMap<>();
    try (SafetensorsFile file = SafetensorsFile.open(path(name))) {
      file.tensors()
          .forEach((key, data) -> {
            try (Tensor view = Torch.fromData(data)) {
              all.put(key, Shapes.copy(view));
            }
          });
    }
    return all;
  }

  /** The largest difference, as a part of the expected tensor's largest value. */
  static double distance(Tensor actual, Tensor expected) {
    try (TensorScope _ = TensorScope.open()) {
      double scale = Reduction.amax(Pointwise.abs(expected), Reduction.KeepDim.NO).item();
      Tensor difference = Pointwise.abs(actual.sub(expected));
      return Reduction.amax(difference, Reduction.KeepDim.NO).item() / Math.max(scale, 1e-30);
    }
  }
}
