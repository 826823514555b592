// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Losses;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.optim.Optimizer;
import org.relaydiffusion.torch.optim.Sgd;
import org.relaydiffusion.torch.optim.SgdOptions;
import org.relaydiffusion.torch.testing.TrainingBits;

/** The modules: first values to PyTorch's bits, outputs, gradients, lifetimes. */
class ModulesTest {
  private static Sequential network() {
    return new Sequential(
        new Conv2d(2, 4, 3, Conv2d.Options.DEFAULT.withStride(2).withPadding(1).withGroups(2)),
        Activation.relu(),
        new Flatten(),
        Linear.withoutBias(16, 6),
        new LayerNorm(6),
        Linear.of(6, 3));
  }

  @Test
  void beginsWithTheBitsOfPyTorch() {
    Map<String, int[]> bits = TrainingBits.all();
    try (TensorScope _ = TensorScope.open();
        Generator random = Generator.seeded(5);
        Sequential network = network()) {
      network.initialize(random);
      Map<String, Parameter> state = network.state();
      assertThat(state.keySet())
          .containsExactly(
              "0.weight", "0.bias", "3.weight", "4.weight", "4.bias", "5.weight", "5.bias");
      state.forEach((name, p) ->
          assertThat(TrainingBits.of(p.value()))
              .as(name)
              .containsExactly(bits.get("network." + name)));
    }
    try (TensorScope _ = TensorScope.open();
        Generator random = Generator.seeded(6);
        Embedding embedding = new Embedding(7, 3)) {
      embedding.initialize(random);
      assertThat(TrainingBits.of(embedding.weight().value()))
          .containsExactly(bits.get("embedding.weight"));
    }
  }

  @Test
  void oneStepDownTheGradientMakesTheLossSmaller() {
    try (TensorScope _ = TensorScope.open();
        Generator random = Generator.seeded(5);
        Sequential network = network()) {
      network.initialize(random);
      network.requiresGrad(true);
      Tensor images = random.randn(DType.FLOAT32, 8, 2, 4, 4);
      Tensor classes = random.randint(3, 8);
      try (Optimizer sgd = new Sgd(network.parameters(), SgdOptions.DEFAULT)) {
        Tensor output = network.forward(images);
        assertThat(output.shape()).containsExactly(8, 3);
        Tensor loss = Losses.crossEntropy(output, classes);
        loss.backward();
        network.state().forEach((name, p) -> assertThat(p.value().grad()).as(name).isNotNull());
        sgd.step(0.05);
        sgd.clearGradients();
        assertThat(network.parameters().getFirst().value().grad()).isNull();
        assertThat(Losses.crossEntropy(network.forward(images), classes).item())
            .isLessThan(loss.item());
      }
    }
  }

  @Test
  void valuesAreConvertedTogether() {
    try (TensorScope _ = TensorScope.open();
        Generator random = Generator.seeded(5);
        Sequential network = network()) {
      network.initialize(random);
      assertThat(network.requiresGrad()).isFalse();
      network.requiresGrad(true);
      assertThat(network.requiresGrad()).isTrue();
      network.to(DType.BFLOAT16);
      Tensor first = network.parameters().getFirst().value();
      network.to(Device.CPU);
      network.to(DType.BFLOAT16);
      assertThat(network.parameters().getFirst().value()).isSameAs(first);
      for (Parameter p : network.parameters()) {
        assertThat(p.value().dtype()).isEqualTo(DType.BFLOAT16);
        assertThat(p.value().requiresGrad()).isTrue();
      }
      Tensor images = random.randn(DType.FLOAT32, 1, 2, 4, 4).to(DType.BFLOAT16);
      network.forward(images).sum().backward();
      assertThat(network.parameters().getFirst().value().grad()).isNotNull();
    }
  }

  @Test
  void linearIsAProductAndASum() {
    try (TensorScope _ = TensorScope.open();
        Linear linear = Linear.of(2, 3)) {
      linear.weight().set(Torch.tensor(new float[][] {{1, 2}, {3, 4}, {5, 6}}));
      Objects.requireNonNull(linear.bias()).set(Torch.tensor(new float[] {10, 20, 30}));
      Tensor x = Torch.tensor(new float[][] {{1, -1}, {2, 0}});
      assertThat(linear.forward(x).toFloatMatrix())
          .isDeepEqualTo(new float[][] {{9, 19, 29}, {12, 26, 40}});
      assertThat(linear.forward(x.reshape(1, 2, 1, 2)).shape()).containsExactly(1, 2, 1, 3);
      try (Linear without = Linear.withoutBias(2, 3)) {
        assertThat(without.bias()).isNull();
      }
    }
  }

  @Test
  void convolutionsMoveAsTheirOptionsSay() {
    try (TensorScope _ = TensorScope.open();
        Conv2d conv =
            new Conv2d(
                1, 1, 2, Conv2d.Options.DEFAULT.withStride(2).withPadding(1).withoutBias())) {
      conv.weight().set(Torch.ones(DType.FLOAT32, 1, 1, 2, 2));
      Tensor x = Torch.arange(4, DType.FLOAT32).reshape(1, 1, 2, 2);
      assertThat(conv.forward(x).toFloats()).containsExactly(0, 1, 2, 3);
      assertThat(conv.forward(x).shape()).containsExactly(1, 1, 2, 2);
      assertThat(conv.bias()).isNull();
    }
  }

  @Test
  void layerNormIsOfTheLastAxes() {
    try (TensorScope _ = TensorScope.open();
        LayerNorm norm = new LayerNorm(new long[] {2}, 0)) {
      norm.weight().set(Torch.tensor(new float[] {2, 3}));
      norm.bias().set(Torch.tensor(new float[] {10, 20}));
      assertThat(norm.forward(Torch.tensor(new float[][] {{1, 3}, {8, 4}})).toFloatMatrix())
          .isDeepEqualTo(new float[][] {{8, 23}, {12, 17}});
    }
  }

  @Test
  void activationsAreTheirFunctions() {
    try (TensorScope _ = TensorScope.open()) {
      Tensor x = Torch.tensor(new double[] {-1, 2});
      assertThat(Activation.relu().forward(x).toDoubles()).containsExactly(0, 2);
      assertThat(Activation.tanh().forward(x).toDoubles()[1])
          .isCloseTo(Math.tanh(2), within(1e-15));
      double sigmoid = 1 / (1 + Math.exp(-2));
      assertThat(Activation.sigmoid().forward(x).toDoubles()[1]).isCloseTo(sigmoid, within(1e-15));
      assertThat(Activation.silu().forward(x).toDoubles()[1]).isCloseTo(2 * sigmoid, within(1e-15));
      assertThat(Activation.gelu().forward(x).toDoubles()[1])
          .isCloseTo(1.9544997361036416, within(1e-15));
      assertThat(Activation.softmax(0).forward(x).toDoubles()[1])
          .isCloseTo(1 / (1 + Math.exp(-3)), within(1e-15));
      assertThat(Activation.of(t -> t.mul(3)).forward(x).toDoubles()).containsExactly(-3, 6);
    }
  }

  @Test
  void dropoutDropsWhileTrainingAlone() {
    try (TensorScope _ = TensorScope.open();
        Sequential network = new Sequential(new Dropout(0.5))) {
      Tensor ones = Torch.ones(DType.FLOAT32, 1000);
      assertThat(network.isTraining()).isFalse();
      assertThat(network.forward(ones).toFloats()).containsOnly(1);
      network.train();
      Generator.global().seed(1);
      assertThat(network.forward(ones).toFloats()).contains(0, 2).doesNotContain(1);
      network.eval();
      assertThat(network.forward(ones).toFloats()).containsOnly(1);
    }
  }

  @Test
  void anEmbeddingIsATable() {
    try (TensorScope _ = TensorScope.open();
        Embedding table = new Embedding(3, 2)) {
      table.weight().set(Torch.tensor(new float[][] {{1, 2}, {3, 4}, {5, 6}}));
      Tensor rows = table.forward(Torch.tensor(new long[] {2, 0}));
      assertThat(rows.toFloatMatrix()).isDeepEqualTo(new float[][] {{5, 6}, {1, 2}});
      assertThatThrownBy(() -> table.forward(Torch.tensor(new long[] {3})))
          .isInstanceOf(TorchException.class)
          .hasMessageContaining("aten::embedding");
    }
  }

  @Test
  void whatCannotBeIsRefusedAtOnce() {
    assertThatThrownBy(() -> Linear.of(0, 3))
        .isInstanceOf(TorchException.class)
        .hasMessage("a linear module has features, not 0 and 3");
    assertThatThrownBy(() -> new Conv2d(3, 4, 3, Conv2d.Options.DEFAULT.withGroups(2)))
        .hasMessageContaining("3 and 4 channels in 2 groups");
    assertThatThrownBy(() -> Conv2d.Options.DEFAULT.withStride(0)).hasMessageContaining("stride 0");
    assertThatThrownBy(() -> new LayerNorm()).hasMessageContaining("[]");
    assertThatThrownBy(() -> new Dropout(1.5)).hasMessageContaining("1.5");
    assertThatThrownBy(() -> new Embedding(4, 0)).hasMessageContaining("4 and 0");
  }

  @Test
  void aChainLeavesOnlyItsResult() {
    long before = Tensor.liveCount();
    try (Tensor x = Torch.ones(DType.FLOAT32, 2);
        Sequential chain = new Sequential(Activation.relu(), Activation.tanh(), Activation.silu());
        Tensor _ = chain.forward(x)) {
      assertThat(Tensor.liveCount() - before).isEqualTo(2);
    }
  }
}
