/** LibTorch in Java: tensors, lifetimes, operators and generators over the stable C ABI. */
module org.relaydiffusion.torch {
  requires static org.jspecify;
  requires transitive org.relaydiffusion.nativeconfig;

  exports org.relaydiffusion.torch;
  exports org.relaydiffusion.torch.nn;
}
