// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.optim;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Module;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * {@link Adam#reference} to the bit: five steps of {@code torch.optim.Adam(lr, (0.9, 0.999), 1e-8)}
 * under PyTorch 2.14.1 on a CPU. LibTorch 2.10 gives the same; the fused kernel does not.
 */
class AdamReferenceTest {
  private static final int N = 19;

  private static final int[] PARAMETER = {
    0xbf3f260e, 0x3e0c2085, 0xbf1b35d5, 0x3e8dbac2, 0xbeec4301, 0x3ed9c614, 0xbea08f15,
    0x3f12d85a, 0xbe3252d4, 0x3f373860, 0xbcd76ba9, 0x3f5d02c9, 0x3df9877f, 0xbf1f0d02,
    0x3e860c5a, 0xbef3f15e, 0x3ed217a2, 0xbea83d72, 0x3f0f012a
  };

  private static final int[] EXP_AVG = {
    0xbbca9f8e, 0xbb794a71, 0xbae1cdfa, 0x3b498c2b, 0x3c0566e6, 0xbb35cb33, 0x3b16443f,
    0xbc0d48a5, 0x3c016bf6, 0xb9ace15c, 0x3b06587b, 0xbbca79c6, 0xbb78fee0, 0xbae136d8,
    0x3b49d7be, 0x3c0579cc, 0xbb357fa1, 0x3b168fce, 0xbc0d35c0
  };

  private static final int[] EXP_AVG_SQ = {
    0x3753d6af, 0x3705411e, 0x37685c94, 0x370547d6, 0x3753e420, 0x3701dfff, 0x373be87f,
    0x3720a170, 0x37209409, 0x373bf82b, 0x3701d3eb, 0x3753ce9e, 0x37053d12, 0x37685c8f,
    0x37054be1, 0x3753ec39, 0x3701dd4e, 0x373be9dd, 0x37209802
  };

  private static final class Weights extends Module {
    private final Parameter w = parameter("w", (_, sizes) -> Torch.zeros(DType.FLOAT32, sizes), N);

    Weights() {
      float[] values = new float[N];
      for (int i = 0; i < N; i++) {
        values[i] = (float) ((7 * i % 13 - 6) / 8.0 + 0.01 * i);
      }
      w.set(Torch.tensor(values, N).requiresGrad(true));
    }
  }

  @Test
  void hasTheBitsOfPyTorchsOptimizer() {
    try (TensorScope _ = TensorScope.open();
        Weights weights = new Weights();
        Adam adam = Adam.reference(List.of(weights.w), AdamOptions.DEFAULT)) {
      for (int step = 0; step < 5; step++) {
        float[] gradient = new float[N];
        for (int i = 0; i < N; i++) {
          gradient[i] = (float) (((5 * i + 3 * step) % 11 - 5) / 7.0 * 0.1 + 1e-6 * i);
        }
        weights.w.value().setGrad(Torch.tensor(gradient, N));
        adam.step(1e-3 * step);
      }
      Adam.State state = Objects.requireNonNull(adam.state().get(0));
      assertThat(bits(weights.w.value())).containsExactly(PARAMETER);
      assertThat(bits(state.expAvg())).containsExactly(EXP_AVG);
      assertThat(bits(state.expAvgSq())).containsExactly(EXP_AVG_SQ);
    }
  }

  private static int[] bits(Tensor x) {
    float[] values = x.toFloats();
    int[] bits = new int[values.length];
    for (int i = 0; i < bits.length; i++) {
      bits[i] = Float.floatToRawIntBits(values[i]);
    }
    return bits;
  }

  @Test
  void powersAreThoseOfPython() {
    // Java's own differ from these now and then in the last place.
    long[] exponents = {1, 2, 3, 6, 7, 10, 23, 100, 999};
    double[] first = {
      0.9,
      0.81,
      0.7290000000000001,
      0.531441,
      0.4782969000000001,
      0.3486784401000001,
      0.08862938119652507,
      2.6561398887587544e-05,
      1.9420791685807718e-46
    };
    double[] second = {
      0.999,
      0.998001,
      0.997002999,
      0.994014980014994,
      0.993020965034979,
      0.9900448802097482,
      0.9772512378214517,
      0.9047921471137089,
      0.3680634882592229
    };
    for (int i = 0; i < exponents.length; i++) {
      AdamKernel.Corrections c = AdamKernel.Corrections.of(exponents[i], AdamOptions.DEFAULT);
      assertThat(c.first()).isEqualTo(1 - first[i]);
      assertThat(c.second()).isEqualTo(1 - second[i]);
    }
  }
}
