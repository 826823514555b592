// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

/** Halts after LibTorch was loaded; the argument is the exit code. */
final class HaltMain {
  private HaltMain() {}

  public static void main(String[] arguments) {
    LibTorch.load();
    Runtime.getRuntime().halt(Integer.parseInt(arguments[0]));
  }
}
