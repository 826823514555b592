// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.model.layer.UNetBlock;
import org.relaydiffusion.torch.Autograd;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.nn.Parameter;
import tools.jackson.databind.JsonNode;

/**
 * Single blocks forth and back: fixture losses/unetblock_grads, whose attention has several heads
 * (case 1: the memory-efficient kind).
 */
class UNetBlockGradientTest {
  // Two LibTorch versions differ by 1.3e-5 of a tensor's largest value on the losses' gradients
  // (the fixtures' README); the bound leaves room for other processors' kernels.
  private static final double TOLERANCE = 1e-4;

  private static final String FOLDER = "losses/unetblock_grads/";

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3})
  void outputAndGradientsAreTheReferences(int number) {
    JsonNode unit = Fixtures.json(FOLDER + "blocks.json").get(number);
    String name = "case" + number + ".";
    try (TensorScope _ = TensorScope.open();
        UNetBlock block = new UNetBlock(LayerParityTest.block(unit.get("init_kwargs")))) {
      Map<String, Tensor> io = Fixtures.tensors(FOLDER + "io.safetensors");
      block
          .state()
          .forEach((key, p) -> {
            p.set(Shapes.copy(required(io, name + "state." + key)));
            p.value().requiresGrad(p.kind() == Parameter.Kind.PARAMETER);
          });
      block.train();
      Tensor x = required(io, name + "x").requiresGrad(true);
      Tensor emb = required(io, name + "emb").requiresGrad(true);

      Tensor output = block.forward(x, emb);
      check(output.detach(), io, name + "output");
      Autograd.backward(output, required(io, name + "grad_output"), Autograd.Graph.FREE);

      check(grad(x), io, name + "grad_x");
      check(grad(emb), io, name + "grad_emb");
      block
          .state()
          .forEach((key, p) -> {
            if (p.kind() == Parameter.Kind.PARAMETER) {
              check(grad(p.value()), io, name + "grad." + key);
            }
          });
    }
  }

  private static void check(Tensor actual, Map<String, Tensor> io, String name) {
    assertThat(Fixtures.distance(actual, required(io, name))).as(name).isLessThan(TOLERANCE);
  }

  private static Tensor grad(Tensor leaf) {
    return Objects.requireNonNull(leaf.grad());
  }

  private static Tensor required(Map<String, Tensor> io, String name) {
    return Objects.requireNonNull(io.get(name), name);
  }
}
