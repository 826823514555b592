// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.optim;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Foreach;
import org.relaydiffusion.torch.Operator;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Parameter;

/** Moves the gradients of many parameters into one memory, where one kernel reaches all of them. */
final class GatheredGradients {
  private static final Operator AS_STRIDED =
      Operator.of(
          "aten::as_strided(Tensor(a) self, SymInt[] size, SymInt[] stride, "
              + "SymInt? storage_offset=None) -> Tensor(a)");

  /** In elements: kernels that read several at once need aligned addresses. */
  private static final long ALIGNMENT = 16;

  /** While one memory is filled, the gradients that go there exist twice. */
  private static final long MOST_BYTES = 256L << 20;

  private final List<Parameter> parameters = new ArrayList<>();
  private final List<Tensor> grads = new ArrayList<>();
  private long elements;

  private GatheredGradients() {}

  private record Kind(DType dtype, Device device) {}

  /**
   * Replaces every gradient by a copy, a part of one of few tensors, in the parameter's order of
   * axes. Those of 256 MiB at a time exist twice.
   *
   * @return the tensors that have all gradients, each those of a type on a device, the current
   *     scope's; what lies between the parts is not initialised
   */
  static List<Tensor> of(List<Parameter> parameters) {
    return of(parameters, MOST_BYTES);
  }

  /**
   * As {@link #of(List)}.
   *
   * @param mostBytes of a tensor, unless a single gradient is larger
   */
  static List<Tensor> of(List<Parameter> parameters, long mostBytes) {
    Map<Kind, GatheredGradients> kinds = new LinkedHashMap<>();
    List<Tensor> gathered = new ArrayList<>();
    for (Parameter p : parameters) {
      Tensor grad = p.value().grad();
      if (grad != null) {
        Kind kind = new Kind(grad.dtype(), grad.device());
        GatheredGradients open = kinds.computeIfAbsent(kind, _ -> new GatheredGradients());
        if (!open.grads.isEmpty()
            && (open.elements + aligned(grad)) * grad.dtype().byteSize() > mostBytes) {
          gathered.add(open.gather());
          open = new GatheredGradients();
          kinds.put(kind, open);
        }
        open.add(p, grad);
      }
    }
    kinds.values().forEach(open -> gathered.add(open.gather()));
    return gathered;
  }

  private void add(Parameter parameter, Tensor grad) {
    parameters.add(parameter);
    grads.add(grad);
    elements = Math.addExact(elements, aligned(grad));
  }

  private static long aligned(Tensor grad) {
    return Math.ceilDiv(grad.numel(), ALIGNMENT) * ALIGNMENT;
  }

  private Tensor gather() {
    Tensor first = grads.getFirst();
    Tensor all = Torch.empty(first.dtype(), first.device(), elements);
    List<Tensor> parts = new ArrayList<>();
    long start = 0;
    for (int i = 0; i < grads.size(); i++) {
      long[] sizes = grads.get(i).shape();
      long[] strides = dense(sizes, parameters.get(i).value().strides());
      parts.add(AS_STRIDED.call().arg(all).arg(sizes).arg(strides).arg(start).tensor());
      start += aligned(grads.get(i));
    }
    Foreach.copyInPlace(parts, grads);
    for (int i = 0; i < parts.size(); i++) {
      parameters.get(i).value().setGrad(parts.get(i));
    }
    grads.forEach(Tensor::close);
    return all;
  }

  /** The strides without gaps of the same order of axes. */
  private static long[] dense(long[] sizes, long[] strides) {
    List<Integer> axes = new ArrayList<>(IntStream.range(0, sizes.length).boxed().toList());
    axes.sort((i, k) -> strides[i] == strides[k] ? k - i : Long.compare(strides[i], strides[k]));
    long[] dense = new long[sizes.length];
    long next = 1;
    for (int axis : axes) {
      dense[axis] = next;
      next *= Math.max(sizes[axis], 1);
    }
    return dense;
  }
}
