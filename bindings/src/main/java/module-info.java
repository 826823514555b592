// SPDX-License-Identifier: Apache-2.0
/** LibTorch in Java: tensors, lifetimes, operators, gradients, training and process groups. */
module org.relaydiffusion.torch {
  requires static org.jspecify;
  requires transitive org.relaydiffusion.nativeconfig;
  requires org.bytedeco.javacpp;
  requires org.bytedeco.pytorch;

  exports org.relaydiffusion.torch;
  exports org.relaydiffusion.torch.amp;
  exports org.relaydiffusion.torch.distributed;
  exports org.relaydiffusion.torch.nn;
  exports org.relaydiffusion.torch.optim;
}
