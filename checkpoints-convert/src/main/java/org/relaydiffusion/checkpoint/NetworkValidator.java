package org.relaydiffusion.checkpoint;

import java.util.LinkedHashMap;
import java.util.Map;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.model.TensorShape;

/** Holds a network from a file against the definition that its class and settings ask for. */
@FunctionalInterface
public interface NetworkValidator {
  /**
   * Checks names, types and shapes; must not build the network to do so, as its settings may ask
   * for any size.
   *
   * @throws org.relaydiffusion.RdmException naming what is missing, left over or of the wrong shape
   */
  void validate(NetworkRecord network);

  /** Holds a network against {@code rdm-model}'s definition of its class and settings. */
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
