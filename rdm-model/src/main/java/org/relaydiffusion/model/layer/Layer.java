// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.torch.nn.Module;

/**
 * A module that computes in more than one way. It asks {@link #execution()} which one; nothing else
 * in a network does. A module that computes in one way only need not be one.
 */
public abstract class Layer extends Module {
  private Execution execution = Execution.REFERENCE;

  /** Made by its subclasses. */
  protected Layer() {}

  /**
   * Tells every layer of a network how to compute.
   *
   * @param network whose values are set
   */
  public static void prepareAll(Module network, Execution execution) {
    network.walk((_, module) -> prepare(module, execution));
    completeAll(network);
  }

  /** Tells every layer of a network, from the parts upwards, that all of it is prepared. */
  public static void completeAll(Module network) {
    List<Layer> layers = new ArrayList<>();
    network.walk((_, module) -> {
      if (module instanceof Layer layer) {
        layers.add(layer);
      }
    });
    layers.reversed().forEach(Layer::completed);
  }

  /** Tells one module how to compute, if it is a layer, but none of those below it. */
  public static void prepare(Module module, Execution execution) {
    if (module instanceof Layer layer) {
      layer.execution = execution;
      layer.prepared();
    }
  }

  /** How this layer computes. */
  protected final Execution execution() {
    return execution;
  }

  /**
   * Called once {@link #execution()} is known and the layer's own values are set: the place to
   * rearrange them.
   */
  protected void prepared() {}

  /**
   * Called once the layers below are prepared and completed too: the place to join what is theirs.
   */
  protected void completed() {}
}
