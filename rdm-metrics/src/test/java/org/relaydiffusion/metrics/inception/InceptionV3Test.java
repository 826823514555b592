// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.inception;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.nn.Parameter;

/** The network against plain Java, layer by layer, on random values. */
class InceptionV3Test {
  private static final Widths NARROW = new Widths(16);
  private static final int SIZE = InceptionV3.RESOLUTION;

  /**
   * Sums of some thousand float32 products, layer upon layer, against float64: of the largest
   * value. Measured: 2e-6.
   */
  private static final double FLOAT32 = 1e-5;

  private static InceptionV3 network(Widths widths) {
    InceptionV3 network = new InceptionV3(widths);
    try (Generator generator = Generator.seeded(1)) {
      network.initialize(generator);
    }
    return network;
  }

  private static Tensor images(int n) {
    try (Generator generator = Generator.seeded(2)) {
      return generator.rand(DType.FLOAT32, n, 3, SIZE, SIZE).mul(255);
    }
  }

  private static double largest(Tensor x) {
    return Reduction.amax(Pointwise.abs(x), Reduction.KeepDim.NO).item();
  }

  private static double distance(Tensor a, Tensor b) {
    return largest(a.sub(b)) / largest(b);
  }

  @Test
  void itsNamesAndShapesAreThePublishedOnes() {
    try (InceptionV3 network = new InceptionV3()) {
      Map<String, Parameter> state = network.state();
      assertThat(state).hasSize(378);
      assertThat(state.values().stream().mapToLong(Parameter::numel).sum()).isEqualTo(23_868_176);
      assertThat(state.keySet().stream().filter(n -> n.endsWith(".beta"))).hasSize(94);
      assertThat(shape(state, "layers.conv.weight")).containsExactly(32, 3, 3, 3);
      assertThat(shape(state, "layers.conv_4.var")).containsExactly(192);
      assertThat(shape(state, "layers.mixed.tower.conv_1.weight")).containsExactly(64, 48, 5, 5);
      assertThat(shape(state, "layers.mixed_3.conv.weight")).containsExactly(384, 288, 3, 3);
      assertThat(shape(state, "layers.mixed_5.tower_1.conv_1.weight"))
          .containsExactly(160, 160, 7, 1);
      assertThat(shape(state, "layers.mixed_7.tower_1.conv_4.weight"))
          .containsExactly(192, 192, 1, 7);
      assertThat(shape(state, "layers.mixed_8.tower.conv_1.mean")).containsExactly(320);
      assertThat(shape(state, "layers.mixed_9.tower_1_conv_1.weight"))
          .containsExactly(384, 448, 3, 3);
      assertThat(shape(state, "layers.mixed_10.tower_mixed_conv.weight"))
          .containsExactly(384, 384, 1, 3);
      assertThat(shape(state, "output.weight")).containsExactly(1008, 2048);
      assertThat(shape(state, "output.bias")).containsExactly(1008);
    }
  }

  private static long[] shape(Map<String, Parameter> state, String name) {
    return get(state, name).shape();
  }

  private static <T> T get(Map<String, T> map, String name) {
    return Objects.requireNonNull(map.get(name), name);
  }

  /** All layers of the full network at once, on one image. */
  @Test
  void everyLayerOfTheFullNetworkHasItsPublishedSize() {
    Map<String, long[]> shapes = new LinkedHashMap<>();
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad();
        InceptionV3 network = network(Widths.PUBLISHED)) {
      network.observe((path, y) -> shapes.put(path, y.shape()));
      InceptionFeatures features = network.forward(images(1));
      assertThat(features.pool().shape()).containsExactly(1, InceptionFeatures.POOL_DIM);
      assertThat(features.spatial().shape()).containsExactly(1, InceptionFeatures.SPATIAL_DIM);
    }
    Map<String, List<Integer>> published = new LinkedHashMap<>();
    published.put("conv", List.of(32, 149));
    published.put("conv_1", List.of(32, 147));
    published.put("conv_2", List.of(64, 147));
    published.put("pool0", List.of(64, 73));
    published.put("conv_3", List.of(80, 73));
    published.put("conv_4", List.of(192, 71));
    published.put("pool1", List.of(192, 35));
    published.put("mixed", List.of(256, 35));
    published.put("mixed_1", List.of(288, 35));
    published.put("mixed_2", List.of(288, 35));
    published.put("mixed_3", List.of(768, 17));
    for (String c : List.of("mixed_4", "mixed_5", "mixed_6", "mixed_7")) {
      published.put(c, List.of(768, 17));
      published.put(c + ".tower_2.pool", List.of(768, 17));
    }
    published.put("mixed_6.conv", List.of(192, 17));
    published.put("mixed_8", List.of(1280, 8));
    published.put("mixed_9", List.of(2048, 8));
    published.put("mixed_9.tower_2_pool", List.of(1280, 8));
    published.put("mixed_10", List.of(2048, 8));
    published.put("mixed_10.tower_2_pool", List.of(2048, 8));
    published.put("pool2", List.of(2048, 1));
    published.forEach((name, size) -> {
      long side = size.get(1);
      assertThat(shapes.get("layers." + name)).as(name).containsExactly(1, size.get(0), side, side);
    });
    // 94 convolutions; 2 + 9 + 2 + 1 poolings; 9 blocks with 24 towers; 2 blocks; the whole.
    assertThat(shapes).hasSize(94 + 14 + 9 + 24 + 2 + 1);
  }

  @Test
  void everyLayerComputesWhatPlainJavaDoes() {
    Map<String, Tensor> seen = new LinkedHashMap<>();
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad();
        InceptionV3 network = network(NARROW)) {
      network.observe((path, y) -> seen.put(path, Shapes.copy(y).release()));
      Tensor x = images(2);
      InceptionFeatures features = network.forward(x);
      network.observe(null);
      PlainInception plain = new PlainInception(network.state());
      double[] pool = plain.run(PlainImage.of(x, 1));
      assertThat(plain.outputs()).hasSize(94 + 3 + 11);
      plain
          .outputs()
          .forEach((name, expected) -> {
            Tensor y = get(seen, name);
            assertThat(y.shape())
                .as(name)
                .containsExactly(2, expected.channels(), expected.height(), expected.width());
            assertClose(name, Shapes.select(y, 0, 1).toDoubles(), expected.values());
          });
      assertClose("pool", Shapes.select(features.pool(), 0, 1).toDoubles(), pool);
      double[] first7 = Arrays.copyOf(get(plain.outputs(), "layers.mixed_6.conv").values(), 2023);
      assertClose("spatial", Shapes.select(features.spatial(), 0, 1).toDoubles(), first7);
    } finally {
      seen.values().forEach(Tensor::close);
    }
  }

  private static void assertClose(String what, double[] actual, double[] expected) {
    double scale = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
    assertThat(scale).as(what).isPositive();
    assertThat(distance(actual, expected)).as(what).isLessThan(FLOAT32 * scale);
  }

  private static double distance(double[] actual, double[] expected) {
    assertThat(actual).hasSameSizeAs(expected);
    double largest = 0;
    for (int i = 0; i < actual.length; i++) {
      largest = Math.max(largest, Math.abs(actual[i] - expected[i]));
    }
    return largest;
  }

  /** What folding and another order of sums change: rounding, far below the tolerance promised. */
  @ParameterizedTest
  @EnumSource(value = Layer.Path.class, names = "EXACT", mode = EnumSource.Mode.EXCLUDE)
  void fastFeaturesAreTheExactOnesToRounding(Layer.Path path) {
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad();
        InceptionV3 exact = network(NARROW);
        InceptionV3 fast = network(NARROW)) {
      fast.prepare(path, Device.CPU, 3);
      Tensor x = images(3);
      InceptionFeatures a = exact.forward(x);
      InceptionFeatures b = fast.forward(x);
      assertThat(distance(b.pool(), a.pool())).isLessThan(FLOAT32);
      assertThat(distance(b.spatial(), a.spatial())).isLessThan(FLOAT32);
    }
  }

  @ParameterizedTest
  @CsvSource({"256, 256", "299, 299", "64, 64", "32, 48", "512, 300", "1, 1"})
  void imagesAreResizedAsTensorFlowDid(int height, int width) {
    try (TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(3)) {
      Tensor x = generator.rand(DType.FLOAT32, 2, 3, height, width).mul(255);
      Tensor y = TfResize.apply(x);
      assertThat(y.shape()).containsExactly(2, 3, SIZE, SIZE);
      // A coordinate from -1 to 1 is rounded to 6e-8, so a place in 512 pixels to 3e-5, and a
      // colour between neighbours 255 apart to 0.008.
      double[] expected = PlainImage.of(x, 1).resized(SIZE).values();
      assertThat(distance(Shapes.select(y, 0, 1).toDoubles(), expected)).isLessThan(0.01);
    }
  }
}
