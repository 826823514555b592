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
 * @param className the preconditioner's class, e.g. {@code EDMPrecond}
 * @param initKwargs the arguments that it is made with, those of the inner model included, as the
 *     official code would be given them: plain values, in that order
 * @param tensors every parameter and buffer by its dotted name, in any order
 */
public record NetworkContents(
    String className, Map<String, @Nullable Object> initKwargs, Map<String, TensorSource> tensors) {
  /** Keeps the order of both maps. */
  public NetworkContents {
    initKwargs = Collections.unmodifiableMap(new LinkedHashMap<>(initKwargs));
    tensors = Collections.unmodifiableMap(new LinkedHashMap<>(tensors));
  }

  /** A network as another checkpoint has it, which must stay open until this is written. */
  public static NetworkContents of(NetworkRecord network) {
    Map<String, TensorSource> tensors = new LinkedHashMap<>();
    network.tensors().forEach((name, tensor) -> tensors.put(name, TensorSources.of(tensor)));
    return new NetworkContents(network.className(), network.initKwargs(), tensors);
  }

  /**
   * A live network, whose values are read when this is written.
   *
   * @param network must stay open, with its values not packed for fast evaluation
   * @param initKwargs the arguments that describe it: {@link
   *     org.relaydiffusion.model.ModelConfig#of} of them is its configuration
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

  /** A tensor that must be there. */
  TensorSource tensor(String name) {
    TensorSource tensor = tensors.get(name);
    if (tensor == null) {
      throw new RdmException("tensor %s is missing".formatted(name));
    }
    return tensor;
  }

  /** The network as the official code pickles it. */
  PickleForm form(NetworkForm.Purpose purpose) {
    return NetworkForm.of(className, initKwargs, tensors, purpose);
  }
}
