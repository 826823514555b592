// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.model.safetensors.SafetensorsWriter;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.testing.SimulatedGpu;
import org.relaydiffusion.torch.testing.SimulatedGpu.Observed;

/** Inception on a simulated device: the CPU's features, without a copy or a wait of its own. */
class SimulatedInceptionTest {
  private static final Widths NARROW = new Widths(16);

  @TempDir private Path folder;
  private Path weights = Path.of("");

  @BeforeEach
  void convert() {
    Path source = folder.resolve("source.safetensors");
    weights = folder.resolve("inception.safetensors");
    try (TensorScope _ = TensorScope.open();
        InceptionV3 network = new InceptionV3(NARROW);
        Generator generator = Generator.seeded(1)) {
      network.initialize(generator);
      SafetensorsWriter.writeSources(source, WeightFiles.state(network), Map.of());
      new InceptionConverter(NARROW).convert(source, weights);
    }
  }

  private Inception open(Numerics numerics, Device device) {
    return Inception.open(weights, new LoadOptions(numerics, DType.FLOAT32, device), NARROW);
  }

  @ParameterizedTest
  @EnumSource
  void featuresAreTheCpusAndNothingIsCopiedForThem(Numerics numerics) {
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(2)) {
      Tensor images = generator.rand(DType.FLOAT32, 3, 1, 40, 56).mul(255).to(DType.UINT8);
      InceptionFeatures expected;
      try (Inception cpu = open(numerics, Device.CPU)) {
        expected = cpu.features(images);
      }
      try (SimulatedGpu gpu = SimulatedGpu.open();
          Inception inception = open(numerics, SimulatedGpu.DEVICE)) {
        Tensor there = images.to(SimulatedGpu.DEVICE);
        Observed<InceptionFeatures> found = gpu.observe(() -> inception.features(there));
        assertThat(found.traffic().events()).as("%s", found.traffic()).isEmpty();
        assertThat(found.value().pool().device()).isEqualTo(SimulatedGpu.DEVICE);
        check(numerics, found.value().pool(), expected.pool());
        check(numerics, found.value().spatial(), expected.spatial());
      }
    }
  }

  private static void check(Numerics numerics, Tensor found, Tensor expected) {
    if (numerics == Numerics.EXACT) {
      assertThat(found.toFloats()).containsExactly(expected.toFloats());
      return;
    }
    // As InceptionTest: packed kernels on the CPU, folded ones on a device.
    double largest = Reduction.amax(Pointwise.abs(expected), Reduction.KeepDim.NO).item();
    Tensor difference = Pointwise.abs(found.to(Device.CPU).sub(expected));
    assertThat(Reduction.amax(difference, Reduction.KeepDim.NO).item() / largest).isLessThan(1e-4);
  }
}
