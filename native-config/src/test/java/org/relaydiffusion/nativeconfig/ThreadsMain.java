// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

/** Loads LibTorch and says on how many threads its operators run. */
final class ThreadsMain {
  private ThreadsMain() {}

  public static void main(String[] arguments) {
    System.out.println(NativeThreads.threads());
  }
}
