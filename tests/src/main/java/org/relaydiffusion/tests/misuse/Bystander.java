// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.misuse;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Supplier;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** Another thread with a scope of its own, which is open all the time. */
final class Bystander implements AutoCloseable {
  private final BlockingQueue<Runnable> work = new LinkedBlockingQueue<>();
  private final Thread thread = Thread.ofPlatform().name("bystander").daemon().start(this::serve);
  private volatile boolean closing;

  private final TensorScope scope = ask(TensorScope::open);
  private final GradMode gradMode = ask(GradMode::noGrad);
  private final Tensor tensor = ask(() -> Torch.full(1, DType.FLOAT32, 4));

  /** Its tensor, which belongs to its scope. */
  Tensor tensor() {
    return tensor;
  }

  /** Its scope. */
  TensorScope scope() {
    return scope;
  }

  /** Its grad mode. */
  GradMode gradMode() {
    return gradMode;
  }

  private <T> T ask(Supplier<T> question) {
    CompletableFuture<T> answer = new CompletableFuture<>();
    work.add(() -> {
      try {
        answer.complete(question.get());
      } catch (RuntimeException e) {
        answer.completeExceptionally(e);
      }
    });
    return answer.join();
  }

  private void serve() {
    while (!closing) {
      try {
        work.take().run();
      } catch (InterruptedException _) {
        return;
      }
    }
  }

  @Override
  public void close() {
    ask(() -> {
      gradMode.close();
      scope.close();
      closing = true;
      return true;
    });
    try {
      thread.join();
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
  }
}
