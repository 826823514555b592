// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.CudaGraph;
import org.relaydiffusion.torch.CudaStream;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.LinearAlgebra;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * Records CUDA graphs, and replays them where the thread computes. For each stream that threads
 * compute on there is one in the process to record on: a product's workspace belongs to that, and
 * is only used by replays on one stream so.
 */
final class CudaRecorder implements Recorder {
  private static final int SIDE = 8;
  private static final Map<CudaStream, CudaStream> RECORDING = new ConcurrentHashMap<>();

  private final Device device;

  CudaRecorder(Device device) {
    this.device = device;
  }

  private record Graph(CudaGraph graph) implements Recording {
    @Override
    public void replay() {
      graph.replay();
    }

    @Override
    public void close() {
      graph.close();
    }
  }

  @Override
  public Object place() {
    return CudaStream.current(device);
  }

  @Override
  public Recording record(@Nullable Recording sharing, Runnable work) {
    CudaGraph other = sharing instanceof Graph(CudaGraph graph) ? graph : null;
    CudaStream stream =
        RECORDING.computeIfAbsent(CudaStream.current(device), CudaRecorder::another);
    return new Graph(CudaGraph.capture(stream, other, this::firstProducts, work));
  }

  private static CudaStream another(CudaStream place) {
    CudaStream stream = CudaStream.fromPool(place.device());
    return stream.equals(place) ? CudaStream.fromPool(place.device()) : stream;
  }

  /** The workspaces of products are made at the first one of a thread on a stream. */
  private void firstProducts() {
    try (TensorScope _ = TensorScope.open()) {
      Tensor matrix = Torch.ones(DType.FLOAT32, device, SIDE, SIDE);
      Tensor _ = Functional.linear(matrix, matrix, Torch.ones(DType.FLOAT32, device, SIDE));
      Tensor batch = matrix.reshape(1, SIDE, SIDE);
      Tensor _ = LinearAlgebra.bmm(batch, batch);
    }
  }
}
