// SPDX-License-Identifier: Apache-2.0
/** The networks of Relay Diffusion, their configuration and their safetensors files. */
module org.relaydiffusion.model {
  requires static org.jspecify;
  requires transitive org.relaydiffusion.torch;
  requires tools.jackson.databind;

  uses org.relaydiffusion.model.PreconditionerKind;
  uses org.relaydiffusion.model.unet.Architecture;

  exports org.relaydiffusion.model;
  exports org.relaydiffusion.model.layer;
  exports org.relaydiffusion.model.unet;
  exports org.relaydiffusion.model.safetensors;
}
