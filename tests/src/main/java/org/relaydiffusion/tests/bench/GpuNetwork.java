// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.Map;
import org.relaydiffusion.model.CudaGraphs;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.MemoryFormat;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorData;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * A network of the official shapes with random weights, made in the time of a copy: the same
 * million normal numbers again and again, from another one on for each parameter.
 */
final class GpuNetwork {
  private static final int NUMBERS = 1 << 20;
  private static final int STEP = 7919;
  private static final int RANK_OF_WEIGHTS = 4;

  private final ModelConfig config;
  private final Map<String, TensorData> state = new LinkedHashMap<>();

  /** Makes the weights. */
  GpuNetwork(int resolution) {
    config = ModelConfig.of("EDMPrecond", OfficialNetworks.adm(resolution));
    try (Generator generator = Generator.seeded(1);
        Preconditioner network = Preconditioner.of(config);
        Tensor drawn = generator.randn(DType.FLOAT32, NUMBERS)) {
      float[] normal = drawn.toFloats();
      int[] from = new int[1];
      network
          .state()
          .forEach((name, p) -> {
            from[0] += STEP;
            MemorySegment values = values(name, p, normal, from[0]);
            state.put(name, TensorData.contiguous(DType.FLOAT32, p.shape(), values));
          });
    }
  }

  int resolution() {
    return config.resolution();
  }

  /** Loads the network. */
  Preconditioner load(GpuCase.Variant variant, Device device, CudaGraphs graphs) {
    return Preconditioner.load(
        config, state, new LoadOptions(variant.numerics, variant.dtype, device, graphs));
  }

  private static MemorySegment values(String name, Parameter p, float[] normal, int from) {
    long[] shape = p.shape();
    long count = p.numel();
    MemorySegment values = Arena.ofAuto().allocate(count * Float.BYTES, 64);
    if (p.kind() == Parameter.Kind.BUFFER) {
      try (Generator generator = Generator.seeded(1);
          TensorScope _ = TensorScope.open()) {
        values.copyFrom(p.initializer().make(generator, shape).memory());
      }
      return values;
    }
    boolean isScale = shape.length == 1 && name.endsWith(".weight");
    float factor = shape.length == 1 ? 0.1f : (float) (1 / Math.sqrt((double) count / shape[0]));
    for (long i = 0; i < count; i++) {
      float drawn = normal[(int) ((from + i) % NUMBERS)] * factor;
      values.setAtIndex(ValueLayout.JAVA_FLOAT, i, isScale ? 1 + drawn : drawn);
    }
    return values;
  }

  /** Brings the weights of convolutions into channels-last order, which their results follow. */
  static void toChannelsLast(Preconditioner network) {
    try (TensorScope _ = TensorScope.open()) {
      for (Parameter p : network.parameters()) {
        if (p.isSet() && p.shape().length == RANK_OF_WEIGHTS) {
          p.set(Shapes.contiguous(p.value(), MemoryFormat.CHANNELS_LAST));
        }
      }
    }
  }
}
