// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import org.relaydiffusion.nativeconfig.NativeExit;

/** Ends while several threads are inside LibTorch; the argument is the exit code. */
final class BusyExitMain {
  private static final int THREADS = 4;
  private static final int SIDE = 512;

  private BusyExitMain() {}

  public static void main(String[] arguments) throws InterruptedException {
    try (TensorScope _ = TensorScope.open()) {
      Tensor warm = Torch.ones(DType.FLOAT32, SIDE, SIDE);
      LinearAlgebra.matmul(warm, warm);
    }
    for (int i = 0; i < THREADS; i++) {
      Thread.ofPlatform().daemon().start(BusyExitMain::multiply);
    }
    Thread.sleep(100);
    NativeExit.now(Integer.parseInt(arguments[0]));
  }

  private static void multiply() {
    while (true) {
      try (TensorScope _ = TensorScope.open()) {
        Tensor a = Torch.ones(DType.FLOAT32, SIDE, SIDE);
        LinearAlgebra.matmul(Functional.softmax(a, 1), a);
      }
    }
  }
}
