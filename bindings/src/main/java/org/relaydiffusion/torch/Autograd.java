// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Reverse-mode differentiation ({@code torch.autograd}): an operator that sees a tensor with {@link
 * Tensor#requiresGrad()} records how to go back, unless {@link GradMode#noGrad} is open.
 */
public final class Autograd {
  private static final Operator BACKWARD =
      Operator.of(
          "aten::_backward(Tensor self, Tensor[] inputs, Tensor? gradient=None, "
              + "bool? retain_graph=None, bool create_graph=False) -> ()");

  /** What becomes of the recorded graph after it was gone through. */
  public enum Graph {
    /** It is freed: a second pass through it fails. */
    FREE,
    /** It stays, for another pass. */
    RETAIN,
    /**
     * It stays, and the gradients are recorded in turn, so that they can be differentiated. A
     * parameter whose gradient was made so and its gradient keep each other alive until {@link
     * Tensor#clearGrad}.
     */
    CREATE
  }

  private Autograd() {}

  /**
   * Adds d(root)/d(leaf) to the gradient of every leaf that requires one.
   *
   * @param root what is differentiated
   * @param gradient factors of root's elements, of its shape; without them root has one element
   * @throws TorchException when root was not computed from a tensor that requires a gradient, or
   *     its graph has been freed
   */
  public static void backward(Tensor root, @Nullable Tensor gradient, Graph graph) {
    TorchException.requireNonNull(root, "root");
    TorchException.requireNonNull(graph, "graph");
    goBack(root, List.of(), gradient, graph);
  }

  /**
   * The gradients of the outputs' sum by each input, as {@code torch.autograd.grad}. The inputs'
   * {@link Tensor#grad} stays as it is, and no other tensor gets one.
   *
   * @param outputs what is differentiated
   * @param inputs by what: leaves, or tensors on the way; one on the way keeps what reaches it in
   *     later backward passes as its {@link Tensor#grad}
   * @param gradOutputs factors of each output's elements; without them outputs have one element
   *     each
   * @return as many tensors as there are inputs, the current scope's
   * @throws TorchException also when an input has no part in the outputs
   */
  public static List<Tensor> grad(
      List<Tensor> outputs, List<Tensor> inputs, @Nullable List<Tensor> gradOutputs, Graph graph) {
    TorchException.requireNoNulls(outputs, "outputs");
    TorchException.requireNoNulls(inputs, "inputs");
    TorchException.requireNonNull(graph, "graph");
    if (outputs.isEmpty() || inputs.isEmpty()) {
      throw new TorchException(
          "grad() needs outputs and inputs, not %s and %s"
              .formatted(Tensor.describe(outputs), Tensor.describe(inputs)));
    }
    if (gradOutputs != null
        && TorchException.requireNoNulls(gradOutputs, "gradOutputs").size() != outputs.size()) {
      throw new TorchException(
          "grad() has %s outputs, but %s gradients of them"
              .formatted(outputs.size(), gradOutputs.size()));
    }
    List<@Nullable Tensor> before = new ArrayList<>();
    try {
      // All before the first is cleared: a tensor may be there twice, under two handles even.
      inputs.forEach(input -> before.add(input.grad()));
      inputs.forEach(Tensor::clearGrad);
      if (outputs.size() == 1) {
        goBack(
            outputs.getFirst(), inputs, gradOutputs == null ? null : gradOutputs.getFirst(), graph);
      } else {
        sumBackward(outputs, inputs, gradOutputs, graph);
      }
      return collect(inputs);
    } finally {
      for (int i = 0; i < before.size(); i++) {
        Tensor grad = before.get(i);
        inputs.get(i).setGrad(grad);
        if (grad != null) {
          grad.close();
        }
      }
    }
  }

  /** As {@link #grad(List, List, List, Graph)}, for outputs of one element, freeing the graph. */
  public static List<Tensor> grad(List<Tensor> outputs, List<Tensor> inputs) {
    return grad(outputs, inputs, null, Graph.FREE);
  }

  /**
   * Replaces the elements of an operator's fresh result; its gradient still goes back as the
   * operator recorded it. So a value can be computed by operators that have no derivative, or
   * another one. Returns {@code result}.
   *
   * @param result nothing else has read it yet, and its operator does not go back through its own
   *     result, as {@code exp}, {@code sqrt}, {@code sigmoid} and {@code softmax} do: LibTorch then
   *     refuses the backward pass
   * @param value of its type and shape
   */
  public static Tensor withValue(Tensor result, Tensor value) {
    TorchException.requireNonNull(result, "result");
    TorchException.requireNonNull(value, "value");
    try (GradMode _ = GradMode.noGrad();
        Tensor elements = result.detach()) {
      elements.copyFrom(value);
    }
    return result;
  }

  /** Whether an operator on this tensor would record how to go back. */
  static boolean records(Tensor operand) {
    return GradMode.isEnabled() && operand.requiresGrad();
  }

  /** Whether an operator on these tensors would record how to go back. */
  static boolean records(Tensor a, Tensor b) {
    return GradMode.isEnabled() && (a.requiresGrad() || b.requiresGrad());
  }

  /** Whether an operator on these tensors would record how to go back. */
  static boolean records(Tensor... operands) {
    if (!GradMode.isEnabled()) {
      return false;
    }
    for (Tensor t : operands) {
      if (t.requiresGrad()) {
        return true;
      }
    }
    return false;
  }

  /** Several outputs go back in one pass, as one sum: what they share is gone through once. */
  private static void sumBackward(
      List<Tensor> outputs, List<Tensor> inputs, @Nullable List<Tensor> factors, Graph graph) {
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.enableGrad()) {
      List<Tensor> terms = new ArrayList<>();
      for (int i = 0; i < outputs.size(); i++) {
        Tensor output = outputs.get(i);
        if (factors == null && output.numel() != 1) {
          throw new TorchException("grad() of %s needs its gradient".formatted(output.describe()));
        }
        Tensor term = factors == null ? output : output.mul(checked(factors.get(i), output));
        terms.add(term.reshape(-1));
      }
      run(Reduction.sum(Shapes.cat(terms, 0), Reduction.KeepDim.NO, 0), inputs, null, graph);
    }
  }

  private static Tensor checked(Tensor factor, Tensor output) {
    if (!Arrays.equals(factor.shape(), output.shape())) {
      throw new TorchException(
          "the gradient of %s cannot be %s".formatted(output.describe(), factor.describe()));
    }
    return factor;
  }

  private static List<Tensor> collect(List<Tensor> inputs) {
    List<Tensor> grads = new ArrayList<>();
    for (Tensor input : inputs) {
      Tensor grad = input.grad();
      if (grad == null) {
        grads.forEach(Tensor::close);
        throw new TorchException(
            "grad() by %s: it has no part in what is differentiated".formatted(input.describe()));
      }
      grads.add(grad);
    }
    return List.copyOf(grads);
  }

  /** A gradient may become that of a leaf, memory and all, and later passes add to it in place. */
  private static void goBack(
      Tensor root, List<Tensor> inputs, @Nullable Tensor gradient, Graph graph) {
    if (gradient == null || !gradient.isReadOnly()) {
      run(root, inputs, gradient, graph);
    } else {
      try (Tensor copy = Shapes.copy(gradient)) {
        run(root, inputs, copy, graph);
      }
    }
  }

  private static void run(
      Tensor root, List<Tensor> inputs, @Nullable Tensor gradient, Graph graph) {
    BACKWARD
        .call()
        .arg(root)
        .arg(inputs)
        .arg(gradient)
        .arg(graph != Graph.FREE)
        .arg(graph == Graph.CREATE)
        .run();
  }
}
