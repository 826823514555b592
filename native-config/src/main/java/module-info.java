// SPDX-License-Identifier: Apache-2.0
/**
 * Which LibTorch runs, and loading it; with the exceptions and files that everything above shares.
 */
module org.relaydiffusion.nativeconfig {
  requires static org.jspecify;
  requires jdk.management;

  exports org.relaydiffusion;
  exports org.relaydiffusion.io;
  exports org.relaydiffusion.io.zip;
  exports org.relaydiffusion.nativeconfig;
}
