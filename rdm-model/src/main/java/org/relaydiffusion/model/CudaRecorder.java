// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.CudaGraph;
import org.relaydiffusion.torch.CudaStream;
import org.relaydiffusion.torch.Device;

/** Records CUDA graphs on a stream of its own, and replays them where the thread computes. */
final class CudaRecorder implements Recorder {
  private final Device device;
  private @Nullable CudaStream stream;

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
  public void warmUp(Runnable work) {
    CudaStream.current(device).synchronize();
    try (CudaStream.Use _ = stream().use()) {
      work.run();
    }
  }

  @Override
  public Recording record(@Nullable Recording sharing, Runnable work) {
    CudaGraph other = sharing instanceof Graph(CudaGraph graph) ? graph : null;
    return new Graph(CudaGraph.capture(stream(), other, work));
  }

  private synchronized CudaStream stream() {
    CudaStream known = stream;
    if (known == null) {
      known = CudaStream.fromPool(device);
      stream = known;
    }
    return known;
  }
}
