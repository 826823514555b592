// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.MemoryFormat;
import org.relaydiffusion.torch.PackedConv2d;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/** What layers do otherwise when they are packed, beside the plain operations. */
class PackedLayersTest {
  private static final int RESOLUTION = 16;

  private static Tensor random(DType dtype, long seed, long... shape) {
    try (TensorScope scope = TensorScope.open();
        Generator generator = Generator.seeded(seed)) {
      Tensor drawn = generator.randn(DType.FLOAT32, shape).to(dtype);
      return scope.keep(
          shape.length == 4 ? Shapes.contiguous(drawn, MemoryFormat.CHANNELS_LAST) : drawn);
    }
  }

  private static double distance(Tensor actual, Tensor expected) {
    Tensor wide = expected.to(DType.FLOAT32);
    double scale = Reduction.amax(Pointwise.abs(wide), Reduction.KeepDim.NO).item();
    Tensor difference = Pointwise.abs(actual.to(DType.FLOAT32).sub(wide));
    return Reduction.amax(difference, Reduction.KeepDim.NO).item() / scale;
  }

  private static float[] values(Tensor x) {
    return x.to(DType.FLOAT32).contiguous().toFloats();
  }

  @ParameterizedTest
  @EnumSource(names = {"FLOAT32", "BFLOAT16"})
  void aConvolutionFollowsTheBatchAndKeepsItsBits(DType dtype) {
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open()) {
      // 576 channels at 16 x 16: for one image the layout is another than for four.
      Tensor weight = random(dtype, 1, 192, 576, 1, 1);
      PackedConv2d packed = PackedConv2d.pack(weight, null, 0, RESOLUTION);
      try (AdaptiveConv2d conv = new AdaptiveConv2d(packed);
          PackedConv2d forOne = PackedConv2d.pack(weight, null, 0, RESOLUTION)) {
        for (int images : List.of(4, 1, 1, 4, 3, 4, 4, 2, 2)) {
          Tensor x = random(dtype, images, images, 576, RESOLUTION, RESOLUTION);
          float[] expected = values(forOne.apply(x));
          assertThat(values(conv.apply(x))).as("%s images", images).isEqualTo(expected);
          try (PackedConv2d fitting = forOne.repack(images)) {
            assertThat(values(fitting.apply(x))).as("%s images", images).isEqualTo(expected);
          }
        }
      }
    }
  }

  @Test
  void repackingLeavesTheOtherAsItIs() {
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        PackedConv2d one =
            PackedConv2d.pack(
                random(DType.FLOAT32, 1, 8, 8, 3, 3), random(DType.FLOAT32, 2, 8), 1, 8)) {
      Tensor x = random(DType.FLOAT32, 3, 5, 8, 8, 8);
      float[] before = values(one.apply(x));
      try (PackedConv2d five = one.repack(5)) {
        assertThat(five.geometry().batch()).isEqualTo(5);
        assertThat(values(five.apply(x))).isEqualTo(before);
      }
      assertThat(one.geometry().batch()).isEqualTo(1);
      assertThat(values(one.apply(x))).isEqualTo(before);
      assertThatThrownBy(() -> one.repack(0))
          .hasMessage("a convolution cannot be packed for 0 images");
    }
  }

  /** A batch that nothing can be packed for, first and between others. */
  @ParameterizedTest
  @ValueSource(ints = {0, 4})
  void anEmptyBatchLeavesAConvolutionAsItIs(int first) {
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open()) {
      Tensor weight = random(DType.FLOAT32, 1, 16, 8, 3, 3);
      try (AdaptiveConv2d conv = new AdaptiveConv2d(PackedConv2d.pack(weight, null, 1, 8));
          PackedConv2d plain = PackedConv2d.pack(weight, null, 1, 8)) {
        for (int images : List.of(first, 0, 0, 2, 2, 0, 3)) {
          Tensor x = random(DType.FLOAT32, 5, images, 8, 8, 8);
          if (images == 0) {
            assertThat(conv.apply(x).shape()).containsExactly(0, 16, 8, 8);
          } else {
            assertThat(values(conv.apply(x))).isEqualTo(values(plain.apply(x)));
          }
        }
      }
    }
  }

  @Test
  void threadsWithBatchesOfTheirOwnShareAConvolution() throws Exception {
    try (TensorScope _ = TensorScope.open();
        ExecutorService threads = Executors.newFixedThreadPool(3);
        AdaptiveConv2d conv =
            new AdaptiveConv2d(
                PackedConv2d.pack(random(DType.FLOAT32, 1, 64, 32, 3, 3), null, 1, 8))) {
      List<Callable<Boolean>> work = new ArrayList<>();
      for (int images = 1; images <= 3; images++) {
        int n = images;
        work.add(() -> {
          try (TensorScope _ = TensorScope.open();
              GradMode _ = GradMode.noGrad()) {
            Tensor x = random(DType.FLOAT32, n, n, 32, 8, 8);
            float[] first = values(conv.apply(x));
            boolean same = true;
            for (int i = 0; i < 50; i++) {
              same &= Arrays.equals(values(conv.apply(x)), first);
            }
            return same;
          }
        });
      }
      for (Future<Boolean> result : threads.invokeAll(work)) {
        assertThat(result.get()).isTrue();
      }
    }
  }

  /** An odd image, several channels, with and without a bias: every place and every border. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aConvolutionOfRepeatedPixelsIsThatOfTheLargeImage(boolean withBias) {
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open()) {
      Tensor weight = random(DType.FLOAT32, 1, 5, 7, 3, 3);
      Tensor bias = withBias ? random(DType.FLOAT32, 2, 5) : null;
      Tensor x = random(DType.FLOAT32, 3, 2, 7, 9, 9);
      Tensor large = Functional.upsampleNearest(x, 18, 18);
      try (UpsampledConv2d conv =
          UpsampledConv2d.pack(weight, bias, new Execution.Packed(DType.FLOAT32), 9)) {
        Tensor y = conv.apply(x);
        assertThat(y.shape()).containsExactly(2, 5, 18, 18);
        assertThat(distance(y, Functional.conv2d(large, weight, bias, 1, 1, 1))).isLessThan(2e-6);
      }
    }
  }

  /**
   * bfloat16 rounds by up to 0.4 %: the input, scores, weights and values once each. Row-major
   * float32 attention of the same interleaved convolution is what the reference computes.
   */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void attentionInBfloat16IsTheReferencesWithinItsRounding(int heads) {
    int channels = 48;
    WeightInit init = WeightInit.DEFAULT;
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        Conv2d exact = new Conv2d(Conv2d.Config.interleaving(channels, 3, 8, init));
        Conv2d packed = new Conv2d(Conv2d.Config.interleaving(channels, 3, 8, init));
        Generator one = Generator.seeded(1);
        Generator two = Generator.seeded(1)) {
      exact.initialize(one);
      packed.initialize(two);
      SelfAttention reference = new SelfAttention(exact, heads, BlockStyle.AttentionKernel.SOFTMAX);
      SelfAttention products = new SelfAttention(packed, heads, BlockStyle.AttentionKernel.SOFTMAX);
      Layer.prepare(packed, new Execution.Packed(DType.BFLOAT16));
      Layer.prepare(products, new Execution.Packed(DType.BFLOAT16));
      Tensor x = random(DType.BFLOAT16, 3, 2, channels, 8, 8);
      Tensor y = products.forward(x);
      assertThat(y.dtype()).isEqualTo(DType.BFLOAT16);
      assertThat(distance(y, reference.forward(x.to(DType.FLOAT32).contiguous()))).isLessThan(0.02);
    }
  }

  @Test
  void float32IsAlwaysSupported() {
    assertThat(Execution.Packed.isSupported(DType.FLOAT32)).isTrue();
    assertThat(Execution.Packed.isSupported(DType.FLOAT16)).isFalse();
  }
}
