// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.checkpoint.pickle.PickleForm;
import org.relaydiffusion.checkpoint.writing.NetworkForm;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.model.TensorShape;
import org.relaydiffusion.model.safetensors.TensorSource;

/**
 * A network to be written to a checkpoint.
 *
 * @param className the class of the preconditioner, such as {@code EDMPrecond}
 * @param initKwargs its constructor arguments, including those of the inner model, as passed to the
 *     official code: plain values, in that order
 * @param tensors every parameter and buffer by its dotted name, in any order
 */
public record NetworkContents(
    String className, Map<String, @Nullable Object> initKwargs, Map<String, TensorSource> tensors) {
  /** Copies both maps, keeping their order. */
  public NetworkContents {
    initKwargs = Collections.unmodifiableMap(new LinkedHashMap<>(initKwargs));
    tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
  }

  /** Returns a network of another checkpoint, which must stay open until this is written. */
  public static NetworkContents of(NetworkRecord network) {
    Map<String, TensorSource> tensors = new LinkedHashMap<>();
    network.tensors().forEach((name, tensor) -> tensors.put(name, TensorSources.of(tensor)));
    return new NetworkContents(network.className(), network.initKwargs(), tensors);
  }

  /**
   * Returns a live network, whose values are read when this is written.
   *
   * @param network must stay open, with its weights not packed
   * @param initKwargs the arguments that describe it: {@link
   *     org.relaydiffusion.model.ModelConfig#of} returns its configuration
   */
  public static NetworkContents of(
      Preconditioner network, Map<String, ? extends @Nullable Object> initKwargs) {
    Map<String, TensorSource> tensors = new LinkedHashMap<>();
    network.state().forEach((name, p) -> tensors.put(name, TensorSources.of(p.value())));
    return new NetworkContents(
        network.config().preconditioning().className(), new LinkedHashMap<>(initKwargs), tensors);
  }

  /** Checks that the tensors are those of the settings. */
  void check(ModelConfig config) {
    Map<String, TensorShape> shapes = new LinkedHashMap<>();
    tensors.forEach((name, t) -> shapes.put(name, TensorShape.of(t.dtype(), t.shape())));
    Preconditioner.check(config, shapes, List.of());
  }

  /** Returns a tensor that must exist. */
  TensorSource tensor(String name) {
    TensorSource tensor = tensors.get(name);
    if (tensor == null) {
      throw new RdmException("tensor %s is missing".formatted(name));
    }
    return tensor;
  }

  /** Returns the network as pickled by the official code, which must have it. */
  PickleForm form(NetworkForm.Purpose purpose) {
    return NetworkForm.of(className, initKwargs, tensors, purpose);
  }

  /** Returns the network in the form of a training state, which any network has. */
  PickleForm stateForm(NetworkForm.Purpose purpose) {
    return NetworkForm.ofAny(className, initKwargs, tensors, purpose);
  }
}
