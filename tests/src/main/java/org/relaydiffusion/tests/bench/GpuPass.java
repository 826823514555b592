// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.torch.CudaGraph;
import org.relaydiffusion.torch.CudaStream;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.MemoryFormat;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** A network's pass over a batch of noise, launched operator by operator or as one graph. */
final class GpuPass implements AutoCloseable {
  private static final int WARM_UP = 2;
  private static final double SIGMA = 2;

  private final Preconditioner network;
  private final CudaStream stream;
  private final CudaStream.Use use;
  private final TensorScope scope = TensorScope.open();
  private final Tensor x;
  private final Tensor sigma;
  private final @Nullable Tensor labels;
  private @Nullable CudaGraph graph;
  private @Nullable Tensor result;

  /**
   * Warms up and, if asked for, captures.
   *
   * @throws org.relaydiffusion.RdmException if there is not enough memory, or capture is refused
   */
  GpuPass(Preconditioner network, GpuCase wanted) {
    this.network = network;
    Device device = network.options().device();
    stream = CudaStream.fromPool(device);
    use = stream.use();
    try (Generator generator = Generator.seeded(3)) {
      int side = network.resolution();
      Tensor drawn =
          generator.randn(DType.FLOAT32, wanted.batch(), network.channels(), side, side).to(device);
      x =
          wanted.layout() == GpuCase.Layout.CHANNELS
              ? Shapes.contiguous(drawn, MemoryFormat.CHANNELS_LAST)
              : drawn;
      sigma = Torch.full(SIGMA, DType.FLOAT32, device, wanted.batch());
      labels =
          network.labelDim() == 0
              ? null
              : Torch.zeros(DType.FLOAT32, device, wanted.batch(), network.labelDim());
      for (int i = 0; i < WARM_UP; i++) {
        eager().close();
      }
      stream.synchronize();
      if (wanted.mode() == GpuCase.Mode.GRAPH) {
        graph = CudaGraph.capture(stream, null, () -> result = eager().release());
        graph.replay();
        stream.synchronize();
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private Tensor eager() {
    return network.denoise(x, sigma, labels);
  }

  /** Launches a pass. */
  void launch() {
    if (graph == null) {
      eager().close();
    } else {
      graph.replay();
    }
  }

  /** Waits until everything launched is done. */
  void finish() {
    stream.synchronize();
  }

  @Override
  public void close() {
    if (result != null) {
      result.close();
    }
    if (graph != null) {
      graph.close();
    }
    scope.close();
    use.close();
  }
}
