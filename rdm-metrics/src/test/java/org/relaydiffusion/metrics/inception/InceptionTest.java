// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.checkpoint.ModuleFile;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.ModelException;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.model.safetensors.SafetensorsWriter;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** From a converted file to features, with a narrow network. */
class InceptionTest {
  private static final Widths NARROW = new Widths(16);

  @TempDir private Path folder;
  private TensorScope scope = TensorScope.open();
  private Path weights = Path.of("");

  @BeforeEach
  void convert() {
    scope.close();
    scope = TensorScope.open();
    Path source = folder.resolve("source.safetensors");
    weights = folder.resolve("inception.safetensors");
    try (InceptionV3 network = new InceptionV3(NARROW);
        Generator generator = Generator.seeded(1)) {
      network.initialize(generator);
      SafetensorsWriter.writeSources(source, WeightFiles.state(network), Map.of());
      new InceptionConverter(NARROW).convert(source, weights);
    }
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private Inception open(Numerics numerics) {
    return Inception.open(weights, new LoadOptions(numerics, DType.FLOAT32, Device.CPU), NARROW);
  }

  /** uint8 images. */
  private static Tensor images(int n, int channels, int height, int width) {
    try (Generator generator = Generator.seeded(2)) {
      return generator.rand(DType.FLOAT32, n, channels, height, width).mul(255).to(DType.UINT8);
    }
  }

  private static double distance(Tensor a, Tensor b) {
    double largest = Reduction.amax(Pointwise.abs(b), Reduction.KeepDim.NO).item();
    return Reduction.amax(Pointwise.abs(a.sub(b)), Reduction.KeepDim.NO).item() / largest;
  }

  private static void assertSame(InceptionFeatures a, InceptionFeatures b) {
    assertThat(a.pool().toFloats()).containsExactly(b.pool().toFloats());
    assertThat(a.spatial().toFloats()).containsExactly(b.spatial().toFloats());
  }

  @Test
  void fastAndExactAgree() {
    try (Inception exact = open(Numerics.EXACT);
        Inception fast = open(Numerics.FAST)) {
      Tensor x = images(3, 3, 64, 80);
      InceptionFeatures a = exact.features(x);
      InceptionFeatures b = fast.features(x);
      assertThat(a.pool().shape()).containsExactly(3, 2048 / 16);
      assertThat(a.spatial().shape()).containsExactly(3, InceptionFeatures.SPATIAL_DIM);
      // What is promised; measured: 3e-7.
      assertThat(distance(b.pool(), a.pool())).isLessThan(1e-4);
      assertThat(distance(b.spatial(), a.spatial())).isLessThan(1e-4);
    }
  }

  @ParameterizedTest
  @EnumSource
  void greyImagesAndNumbersFrom0To255AreTheSameImages(Numerics numerics) {
    try (Inception inception = open(numerics)) {
      Tensor grey = images(2, 1, 40, 40);
      InceptionFeatures features = inception.features(grey);
      assertSame(inception.features(Shapes.repeat(grey, 1, 3, 1, 1)), features);
      assertSame(inception.features(grey.to(DType.FLOAT32)), features);
    }
  }

  /** Another batch size may select other kernels, which sum in another order. */
  @ParameterizedTest
  @EnumSource
  void anImageHasTheSameFeaturesInAnyBatch(Numerics numerics) {
    try (Inception inception = open(numerics)) {
      Tensor x = images(5, 3, 32, 32);
      InceptionFeatures together = inception.features(x);
      for (int n : new int[] {1, 2, 3}) {
        InceptionFeatures some = inception.features(Shapes.narrow(x, 0, 5 - n, n));
        Tensor pool = Shapes.narrow(together.pool(), 0, 5 - n, n);
        Tensor spatial = Shapes.narrow(together.spatial(), 0, 5 - n, n);
        // The rounding of float32 through all layers; measured: equal.
        assertThat(distance(some.pool(), pool)).isLessThan(1e-5);
        assertThat(distance(some.spatial(), spatial)).isLessThan(1e-5);
      }
    }
  }

  @Test
  void severalThreadsMayAskAtOnce() throws Exception {
    try (Inception inception = open(Numerics.FAST);
        ExecutorService threads = Executors.newFixedThreadPool(2)) {
      Tensor x = images(2, 3, 32, 32).release();
      try {
        float[] expected = inception.features(x).pool().toFloats();
        Callable<float[]> task =
            () -> {
              try (InceptionFeatures features = inception.features(x)) {
                return features.pool().toFloats();
              }
            };
        List<Future<float[]>> all = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
          all.add(threads.submit(task));
        }
        for (Future<float[]> one : all) {
          assertThat(one.get()).containsExactly(expected);
        }
      } finally {
        x.close();
      }
    }
  }

  @Test
  void theOutputLayerAndTheFilesSumAreAtHand() {
    try (Inception inception = open(Numerics.FAST)) {
      OutputLayer output = inception.output();
      assertThat(output.weight().shape()).containsExactly(1008, 128);
      assertThat(output.bias().shape()).containsExactly(1008);
      InceptionFeatures features = inception.features(images(1, 3, 32, 32));
      Tensor logits = Functional.linear(features.pool(), output.weight(), output.bias());
      assertThat(logits.shape()).containsExactly(1, 1008);
      try (ModuleFile file = ModuleFile.open(weights)) {
        assertThat(inception.sha256()).matches("[0-9a-f]{64}").isEqualTo(file.valuesSha256());
      }
      assertThat(inception.options().numerics()).isEqualTo(Numerics.FAST);
    }
  }

  @Test
  void otherTypesThanFloat32AreRefused() {
    assertThatThrownBy(() ->
            Inception.open(weights, new LoadOptions(Numerics.FAST, DType.BFLOAT16, Device.CPU)))
        .isInstanceOf(OptionException.class)
        .hasMessage(
            "metrics require float32, but found bfloat16, whose rounding would affect the"
                + " result");
  }

  @Test
  void whatAreNoImagesIsRefused() {
    try (Inception inception = open(Numerics.FAST)) {
      for (Tensor bad :
          List.of(
              Torch.zeros(DType.UINT8, 3, 32, 32),
              Torch.zeros(DType.UINT8, 1, 4, 32, 32),
              Torch.zeros(DType.UINT8, 0, 3, 32, 32),
              Torch.zeros(DType.UINT8, 1, 3, 0, 32),
              Torch.zeros(DType.FLOAT64, 1, 3, 32, 32))) {
        assertThatThrownBy(() -> inception.features(bad))
            .isInstanceOf(ModelException.class)
            .hasMessage(
                "Inception-v3 takes uint8 or float32 images [N, 1 or 3, H, W], not "
                    + bad.describe());
      }
    }
  }

  @Test
  void aClosedOneSaysSo() {
    Inception inception = open(Numerics.EXACT);
    inception.close();
    inception.close();
    Tensor x = images(1, 3, 32, 32);
    assertThatThrownBy(() -> inception.features(x)).hasMessage("this network is closed");
    assertThatThrownBy(inception::output).hasMessage("this network is closed");
  }
}
