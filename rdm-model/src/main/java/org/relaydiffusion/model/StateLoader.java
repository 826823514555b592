// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.relaydiffusion.Printable;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorData;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Module;
import org.relaydiffusion.torch.nn.Parameter;

/** Puts a file's tensors into a network, after checking that they are exactly the ones it has. */
final class StateLoader {
  private StateLoader() {}

  /**
   * Checks names, shapes and types, without touching a byte of the tensors.
   *
   * @throws ModelException naming the first tensor that is missing, extra, or of another shape or
   *     type
   */
  static void check(Module network, Map<String, TensorShape> state) {
    Map<String, Parameter> wanted = network.state();
    wanted.forEach((name, parameter) -> {
      TensorShape data = state.get(name);
      if (data == null) {
        throw new ModelException(
            "tensor %s of shape %s is missing".formatted(name, Arrays.toString(parameter.shape())));
      }
      List<Long> sizes = Arrays.stream(parameter.shape()).boxed().toList();
      if (!data.sizes().equals(sizes)) {
        throw new ModelException(
            "tensor %s has shape %s, but this network has %s".formatted(name, data.sizes(), sizes));
      }
      if (!data.dtype().isFloatingPoint()) {
        throw new ModelException(
            "tensor %s is %s, but weights are floating-point"
                .formatted(name, data.dtype().torchName()));
      }
    });
    Set<String> extra = new LinkedHashSet<>(state.keySet());
    extra.removeAll(wanted.keySet());
    if (!extra.isEmpty()) {
      throw new ModelException(
          "tensor %s is not part of this network (%s such tensors)"
              .formatted(Printable.of(extra.iterator().next()), extra.size()));
    }
  }

  /**
   * Checks that every module of a file is one of the network's, or a dictionary around one.
   *
   * @throws ModelException naming the first that is not
   */
  static void checkModules(Module network, Collection<String> modules) {
    Set<String> known = new HashSet<>();
    network.walk((path, _) -> {
      for (int dot = path.indexOf('.'); dot >= 0; dot = path.indexOf('.', dot + 1)) {
        known.add(path.substring(0, dot));
      }
      known.add(path);
    });
    for (String module : modules) {
      if (!known.contains(module)) {
        throw new ModelException(
            "module %s is not part of this network".formatted(Printable.of(module)));
      }
    }
  }

  /** Sets one parameter: in place where it lies if it is float32 on the CPU, else converted. */
  static void set(Parameter parameter, TensorData data, Device device) {
    try (TensorScope _ = TensorScope.open()) {
      Tensor t = Torch.fromData(data);
      // As few bytes as possible go to a device.
      parameter.set(t.to(device).to(DType.FLOAT32));
    }
  }

  /** As {@link #check}, of tensors that are at hand. */
  static void checkData(Module network, Map<String, TensorData> state) {
    Map<String, TensorShape> shapes = new LinkedHashMap<>();
    state.forEach((name, data) -> shapes.put(name, TensorShape.of(data)));
    check(network, shapes);
  }

  /** Checks a state, and sets every parameter and buffer to float32 copies that may be written. */
  static void copy(Module network, Map<String, TensorData> state) {
    checkData(network, state);
    network
        .state()
        .forEach((name, p) -> {
          try (TensorScope _ = TensorScope.open()) {
            Tensor value = Torch.fromData(data(state, name)).to(DType.FLOAT32);
            p.set(Shapes.copy(value.contiguous()));
          }
        });
  }

  /** The tensor of this name. */
  static TensorData data(Map<String, TensorData> state, String name) {
    TensorData data = state.get(name);
    if (data == null) {
      throw new ModelException("tensor " + name + " is missing");
    }
    return data;
  }
}
