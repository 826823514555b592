// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/** An operator that fails tells LibTorch's own reason, on each build and each way to call it. */
class OperatorReasonTest {
  private static final int THREADS = 4;
  private static final int TIMES = 50;

  @Test
  void theDispatchersReasonIsTold() {
    try (TensorScope _ = TensorScope.open()) {
      Tensor a = Torch.zeros(DType.FLOAT32, 2, 3);
      Tensor b = Torch.zeros(DType.FLOAT32, 4, 5);
      assertThatThrownBy(() -> LinearAlgebra.matmul(a, b))
          .isInstanceOf(TorchException.class)
          .hasMessageContaining("float32[2, 3]")
          .hasMessageEndingWith("mat1 and mat2 shapes cannot be multiplied (2x3 and 4x5)");
      assertThatThrownBy(() -> a.reshape(7))
          .hasMessageEndingWith("shape '[7]' is invalid for input of size 6");
    }
  }

  @Test
  void theReasonOfAFunctionOfItsOwnIsTold() {
    try (TensorScope _ = TensorScope.open()) {
      Tensor a = Torch.zeros(DType.FLOAT32, 2, 3);
      Tensor b = Torch.zeros(DType.FLOAT32, 4, 5);
      assertThatThrownBy(() -> a.copyFrom(b))
          .isInstanceOf(TorchException.class)
          .hasMessageContaining(
              "The size of tensor a (3) must match the size of tensor b (5)"
                  + " at non-singleton dimension 1");
    }
  }

  @Test
  void eachThreadIsToldItsOwn() throws Exception {
    List<Callable<List<String>>> tasks = new ArrayList<>();
    for (int i = 0; i < THREADS; i++) {
      long size = 100L + i;
      tasks.add(() -> {
        List<String> wrong = new ArrayList<>();
        try (TensorScope _ = TensorScope.open()) {
          Tensor t = Torch.zeros(DType.FLOAT32, 2, 3);
          for (int k = 0; k < TIMES; k++) {
            try {
              t.reshape(size);
            } catch (TorchException e) {
              String message = String.valueOf(e.getMessage());
              if (!message.endsWith(
                  "shape '[%s]' is invalid for input of size 6".formatted(size))) {
                wrong.add(message);
              }
            }
          }
        }
        return wrong;
      });
    }
    try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
      for (Future<List<String>> wrong : threads.invokeAll(tasks)) {
        assertThat(wrong.get()).isEmpty();
      }
    }
  }
}
