// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.loss;

import java.util.Map;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.model.safetensors.SafetensorsFile;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The networks of losses/nets, with values that can be trained. */
final class LossNets {
  private LossNets() {}

  /** Loads a network by name; the caller closes it. */
  @SuppressWarnings("unchecked")
  static Preconditioner open(String name) {
    Fixture nets = Fixture.of("losses/nets");
    JsonNode json = nets.json("nets.json").path(name);
    Map<String, Object> kwargs =
        JsonMapper.shared().treeToValue(json.path("init_kwargs"), Map.class);
    ModelConfig config = ModelConfig.of(json.path("class_name").asString(), kwargs);
    try (SafetensorsFile file = SafetensorsFile.open(nets.file(name + ".safetensors"))) {
      return Preconditioner.trainable(config, file.tensors(), LoadOptions.EXACT);
    }
  }
}
