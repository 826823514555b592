// SPDX-License-Identifier: Apache-2.0
/** Evaluation: how far samples are from a data set. */
module org.relaydiffusion.metrics {
  requires static org.jspecify;
  requires transitive org.relaydiffusion.checkpoint;
  requires transitive org.relaydiffusion.diffusion;

  exports org.relaydiffusion.metrics;
  exports org.relaydiffusion.metrics.extraction;
  exports org.relaydiffusion.metrics.inception;
  exports org.relaydiffusion.metrics.npy;
  exports org.relaydiffusion.metrics.report;
}
