// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

/**
 * Loads LibTorch as an application does and says in one line what came of it; libraries in the
 * arguments are loaded first.
 */
final class LoadMain {
  private LoadMain() {}

  public static void main(String[] libraries) {
    for (String library : libraries) {
      System.load(library);
    }
    attempt();
    attempt();
  }

  private static void attempt() {
    try {
      System.out.println("loaded " + LibTorch.load(Settings.APPLICATION).source().origin());
    } catch (NativeLibraryException e) {
      System.out.println("refused " + e.getMessage());
    }
  }
}
