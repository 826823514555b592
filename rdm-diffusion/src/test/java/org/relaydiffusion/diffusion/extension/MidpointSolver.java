// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.extension;

import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.diffusion.SolverOptions;
import org.relaydiffusion.diffusion.sampler.Batch;
import org.relaydiffusion.diffusion.sampler.NoiseLevels;
import org.relaydiffusion.diffusion.sampler.Solver;
import org.relaydiffusion.diffusion.sampler.SolverProvider;
import org.relaydiffusion.diffusion.sampler.Stepper;
import org.relaydiffusion.model.Denoiser;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Tensor;

/** The solver {@code midpoint}: two calls a step, the second at the middle of its noise levels. */
public final class MidpointSolver implements SolverProvider {
  @Override
  public String name() {
    return "midpoint";
  }

  @Override
  public String description() {
    return "the explicit midpoint method, of 2nd order";
  }

  @Override
  public Class<EdmOptions> options() {
    return EdmOptions.class;
  }

  @Override
  public Solver create(SolverOptions options) {
    return new Midpoint(options);
  }

  private record Midpoint(SolverOptions options) implements Solver {
    @Override
    public NoiseLevels levels(Denoiser net) {
      return NoiseLevels.of(options, net);
    }

    @Override
    public int calls(int steps) {
      return 2 * steps - 1;
    }

    @Override
    public Stepper begin(Batch batch) {
      return new Stepper() {
        @Override
        public Tensor start() {
          return batch.start().to(DType.FLOAT64).mul(batch.levels().at(0));
        }

        @Override
        public Tensor step(int i, Tensor x) {
          double t = batch.levels().at(i);
          double next = batch.levels().at(i + 1);
          Tensor slope = x.sub(batch.denoiser().denoise(x, t)).div(t);
          if (next > 0) {
            double middle = (t + next) / 2;
            Tensor between = x.add(slope.mul(middle - t));
            slope = between.sub(batch.denoiser().denoise(between, middle)).div(middle);
          }
          return x.add(slope.mul(next - t));
        }
      };
    }
  }
}
