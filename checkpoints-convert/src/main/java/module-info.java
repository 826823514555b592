// SPDX-License-Identifier: Apache-2.0
/** The official Python checkpoints, read as data and never executed. */
module org.relaydiffusion.checkpoint {
  requires static org.jspecify;
  requires transitive org.relaydiffusion.model;
  requires tools.jackson.databind;

  exports org.relaydiffusion.checkpoint;
}
