// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.relaydiffusion.diffusion.SolverOptions;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * Pictures of a run with many steps, with which those of shorter runs from the same noise are
 * compared.
 *
 * @param relay the networks
 * @param batches the seeds of each batch, and the pictures of both stages
 */
record LongRun(DemoRelay relay, List<Batch> batches) implements AutoCloseable {
  private static final double GREY_LEVELS = 127.5;

  /** One batch. */
  private record Batch(long[] seeds, Tensor small, Tensor large) {}

  /**
   * Mean absolute differences of pixel values from the long run's, in grey levels of 255.
   *
   * @param first of the first stage
   * @param second of the second stage, from the long run's first
   * @param both of the second stage, from this run's first
   */
  record Distances(double first, double second, double both) {}

  /** Samples the pictures of seeds from 0. */
  static LongRun of(
      DemoRelay relay, int pictures, int batch, SolverOptions first, SolverOptions second) {
    List<Batch> batches = new ArrayList<>();
    for (int at = 0; at < pictures; at += batch) {
      long[] seeds = LongStream.range(at, Math.min(pictures, at + batch)).toArray();
      Tensor small = relay.first(first, seeds);
      batches.add(new Batch(seeds, small, relay.second(second, small, seeds)));
    }
    return new LongRun(relay, batches);
  }

  /** Compares a run from the same noise. */
  Distances to(SolverOptions first, SolverOptions second) {
    double[] sums = new double[3];
    int pictures = 0;
    for (Batch batch : batches) {
      try (TensorScope _ = TensorScope.open()) {
        Tensor small = relay.first(first, batch.seeds);
        sums[0] += distance(small, batch.small) * batch.seeds.length;
        sums[1] +=
            distance(relay.second(second, batch.small, batch.seeds), batch.large)
                * batch.seeds.length;
        sums[2] +=
            distance(relay.second(second, small, batch.seeds), batch.large) * batch.seeds.length;
      }
      pictures += batch.seeds.length;
    }
    return new Distances(sums[0] / pictures, sums[1] / pictures, sums[2] / pictures);
  }

  private static double distance(Tensor a, Tensor b) {
    Tensor difference = Pointwise.clamp(a, -1, 1).sub(Pointwise.clamp(b, -1, 1));
    return difference.abs().mean().item() * GREY_LEVELS;
  }

  @Override
  public void close() {
    for (Batch batch : batches) {
      batch.small.close();
      batch.large.close();
    }
  }
}
