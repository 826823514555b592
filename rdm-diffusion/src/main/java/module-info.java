// SPDX-License-Identifier: Apache-2.0
/** Samplers, blurring diffusion and the relay pipeline. */
module org.relaydiffusion.diffusion {
  requires static org.jspecify;
  requires transitive org.relaydiffusion.model;
  requires org.relaydiffusion.checkpoint;
  requires org.apache.commons.statistics.distribution;
  requires java.desktop;
  requires org.slf4j;
  requires tools.jackson.databind;

  uses org.relaydiffusion.diffusion.loss.Loss;
  uses org.relaydiffusion.diffusion.sampler.SolverProvider;

  exports org.relaydiffusion.diffusion;
  exports org.relaydiffusion.diffusion.augment;
  exports org.relaydiffusion.diffusion.blur;
  exports org.relaydiffusion.diffusion.data;
  exports org.relaydiffusion.diffusion.data.convert;
  exports org.relaydiffusion.diffusion.guidance;
  exports org.relaydiffusion.diffusion.image;
  exports org.relaydiffusion.diffusion.loss;
  exports org.relaydiffusion.diffusion.random;
  exports org.relaydiffusion.diffusion.sampler;
  exports org.relaydiffusion.diffusion.schedule;
  exports org.relaydiffusion.diffusion.train;
}
