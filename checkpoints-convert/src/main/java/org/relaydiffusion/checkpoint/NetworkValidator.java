// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.util.LinkedHashMap;
import java.util.Map;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.model.TensorShape;

/** Checks a network from a file against the definition for its class and settings. */
@FunctionalInterface
public interface NetworkValidator {
  /**
   * Checks names, dtypes and shapes. Must not build the network for this purpose, because its
   * settings may require any size.
   *
   * @throws org.relaydiffusion.RdmException naming what is missing, unexpected or of the wrong
   *     shape
   */
  void validate(NetworkRecord network);

  /** Checks a network against {@code rdm-model}'s definition for its class and settings. */
  static NetworkValidator definition() {
    return network -> {
      Map<String, TensorShape> shapes = new LinkedHashMap<>();
      network
          .tensors()
          .forEach((name, t) -> shapes.put(name, TensorShape.of(t.dtype(), t.shape())));
      Preconditioner.check(
          ModelConfig.of(network.className(), network.initKwargs()), shapes, network.modules());
    };
  }
}
