// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.sampler;

import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.blur.PatchDct;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/**
 * The steps of {@link RelayMultistepSolver}, as in {@link RelayCoefficients}. Holds the cosine
 * transform of the prediction of the step before.
 */
final class RelayMultistepStepper implements Stepper {
  private final RelayMultistepSolver.Form form;
  private final Batch batch;
  private final RelayNoise noise;
  private final PatchDct transform;
  private final RelayMultistepTable table;
  private @Nullable Tensor previous;

  RelayMultistepStepper(
      RelayMultistepSolver.Form form,
      Batch batch,
      RelayNoise noise,
      PatchDct transform,
      RelayMultistepTable table) {
    this.form = form;
    this.batch = batch;
    this.noise = noise;
    this.transform = transform;
    this.table = table;
  }

  @Override
  public Tensor start() {
    return RelaySolver.begin(batch.start(), noise, batch.levels().at(0));
  }

  @Override
  public Tensor step(int i, Tensor x) {
    Tensor denoised = batch.denoiser().denoise(x, batch.levels().at(i));
    if (i == batch.levels().steps() - 1) {
      return denoised;
    }
    try (TensorScope scope = TensorScope.open()) {
      Tensor u = transform.transform(denoised);
      Tensor pull = u.mul(table.current(i, x));
      if (previous != null) {
        pull = pull.add(previous.mul(table.previous(i, x)));
      }
      close();
      previous = u.release();
      Tensor next = x.mul(table.kept(i)).add(transform.inverse(pull));
      return scope.keep(
          switch (form) {
            case DETERMINISTIC -> next;
            case STOCHASTIC -> next.add(noise.draw(x).mul(table.added(i)));
          });
    }
  }

  @Override
  public void close() {
    if (previous != null) {
      previous.close();
      previous = null;
    }
  }
}
