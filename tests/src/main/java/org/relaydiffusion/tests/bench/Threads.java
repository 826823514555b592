// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;
import org.relaydiffusion.nativeconfig.NativeThreads;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.TensorScope;

/** Numbered pieces of work on several threads, each of which has LibTorch to itself. */
final class Threads {
  private Threads() {}

  static void run(int threads, int count, IntConsumer work) {
    try (ExecutorService pool = Executors.newFixedThreadPool(threads)) {
      List<Future<?>> pieces = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        int index = i;
        pieces.add(
            pool.submit(() -> {
              NativeThreads.useThisThreadAlone();
              try (GradMode _ = GradMode.noGrad();
                  TensorScope _ = TensorScope.open()) {
                work.accept(index);
              }
            }));
      }
      for (Future<?> piece : pieces) {
        piece.get();
      }
    } catch (InterruptedException | ExecutionException e) {
      throw new IllegalStateException(e);
    }
  }
}
