// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.TorchException;

/** Recorded passes, with a recorder that does in Java what a CUDA graph does on a device. */
class GraphedPassesTest {
  private final List<String> log = new ArrayList<>();
  private Object place = "stream 0";
  private @Nullable TorchException refusal;
  private int open;

  /** The last pass: operands, and where its result lies. */
  private record Last(Tensor image, Tensor sigma, @Nullable Tensor labels, Tensor result) {}

  private @Nullable Last last;

  private Tensor pass(Tensor image, Tensor sigma, @Nullable Tensor labels) {
    log.add("pass of " + image.size(0));
    try (TensorScope scope = TensorScope.open()) {
      Tensor result = scope.keep(value(image, sigma, labels));
      last = new Last(image, sigma, labels, result);
      return result;
    }
  }

  /** image sigma, plus the sum of each label's row. */
  private static Tensor value(Tensor image, Tensor sigma, @Nullable Tensor labels) {
    Tensor product = image.mul(sigma.reshape(-1, 1, 1, 1));
    return labels == null ? product : product.add(labels.sum(1).reshape(-1, 1, 1, 1));
  }

  /** Replays into the same memory, from the same memory. */
  private final class Recorder implements org.relaydiffusion.model.Recorder {
    @Override
    public Object place() {
      return place;
    }

    @Override
    public Recording record(@Nullable Recording sharing, Runnable work) {
      work.run();
      if (refusal != null) {
        throw refusal;
      }
      log.add(sharing == null ? "recorded" : "recorded with the memory of another");
      Last recorded = Objects.requireNonNull(last);
      open++;
      return new Recording() {
        @Override
        public void replay() {
          try (TensorScope _ = TensorScope.open()) {
            recorded.result.copyFrom(value(recorded.image, recorded.sigma, recorded.labels));
          }
          log.add("replayed");
        }

        @Override
        public void close() {
          // Its tensors end first.
          assertThat(recorded.result.isClosed()).isTrue();
          open--;
        }
      };
    }
  }

  private GraphedPasses passes(CudaGraphs wanted) {
    return new GraphedPasses(new Recorder(), Device.CPU, this::pass, wanted);
  }

  private static Tensor image(int n, double value) {
    return Torch.full(value, DType.FLOAT64, n, 1, 2, 2);
  }

  @Test
  void theFirstPassOfAShapeIsPlainAndLaterOnesAreReplayed() {
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        GraphedPasses passes = passes(CudaGraphs.AUTO)) {
      List<Tensor> results = new ArrayList<>();
      for (int i = 1; i <= 4; i++) {
        Tensor labels = Torch.full(i, DType.FLOAT32, 2, 3);
        results.add(passes.apply(image(2, i), Torch.scalar(0.5 * i), labels));
      }
      // A replay changes no earlier result.
      for (int i = 1; i <= 4; i++) {
        Tensor result = results.get(i - 1);
        assertThat(result.dtype()).isEqualTo(DType.FLOAT32);
        assertThat(result.toDoubles()).containsOnly(i * 0.5 * i + 3 * i);
      }
    }
    assertThat(log)
        .containsExactly("pass of 2", "pass of 2", "recorded", "replayed", "replayed", "replayed");
    assertThat(open).isZero();
  }

  @Test
  void everyKindOfOperandsIsRecordedByItself() {
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        GraphedPasses passes = passes(CudaGraphs.AUTO)) {
      Tensor two = Torch.tensor(new double[] {2, 3});
      Tensor rows = Torch.ones(DType.FLOAT32, 2, 3);
      for (int i = 0; i < 2; i++) {
        passes.apply(image(2, 1), Torch.scalar(1.0), null);
        assertThat(passes.apply(image(2, 1), two, null).toDoubles())
            .containsExactly(2, 2, 2, 2, 3, 3, 3, 3);
        passes.apply(image(2, 1), two, rows);
        place = "stream 1";
        passes.apply(image(2, 1), two, rows);
        place = "stream 0";
      }
      assertThat(open).isEqualTo(4);
      // Of one stream, graphs share their memory.
      assertThat(log.stream().filter(s -> s.startsWith("recorded")))
          .containsExactly(
              "recorded",
              "recorded with the memory of another",
              "recorded with the memory of another",
              "recorded");
    }
    assertThat(open).isZero();
  }

  @Test
  void theOneThatWasUsedLongestAgoMakesRoom() {
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        GraphedPasses passes = passes(CudaGraphs.AUTO)) {
      for (int n = 1; n <= GraphedPasses.MOST + 3; n++) {
        passes.apply(image(n, 1), Torch.scalar(1.0), null);
        passes.apply(image(n, 1), Torch.scalar(1.0), null);
        passes.apply(image(1, 1), Torch.scalar(1.0), null);
        assertThat(open).isLessThanOrEqualTo(GraphedPasses.MOST);
      }
      log.clear();
      passes.apply(image(1, 1), Torch.scalar(1.0), null);
      assertThat(log).containsExactly("replayed");
      passes.apply(image(2, 1), Torch.scalar(1.0), null);
      assertThat(log).containsExactly("replayed", "pass of 2");
    }
    assertThat(open).isZero();
  }

  @Test
  void whatCannotBeRecordedIsComputedAsItIs() {
    refusal = new TorchException("no graph");
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        GraphedPasses passes = passes(CudaGraphs.AUTO)) {
      for (int i = 1; i <= 3; i++) {
        assertThat(passes.apply(image(1, i), Torch.scalar(2.0), null).toDoubles())
            .containsOnly(2.0 * i);
      }
    }
    // Recording was tried once.
    assertThat(log).containsExactly("pass of 1", "pass of 1", "pass of 1", "pass of 1");
  }

  @Test
  void whatMustBeRecordedAndCannotIsAnError() {
    refusal = new TorchException("no graph");
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        GraphedPasses passes = passes(CudaGraphs.ON)) {
      passes.apply(image(1, 1), Torch.scalar(2.0), null);
      assertThatThrownBy(() -> passes.apply(image(1, 1), Torch.scalar(2.0), null))
          .isInstanceOf(ModelException.class)
          .hasMessage("a pass of shape [1, 1, 2, 2] cannot be captured: no graph");
    }
  }

  @Test
  void aThreadRecordsWhatItHasComputedItself() throws InterruptedException {
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        GraphedPasses passes = passes(CudaGraphs.AUTO)) {
      passes.apply(image(1, 1), Torch.scalar(1.0), null);
      Thread other =
          Thread.ofPlatform()
              .start(() -> {
                try (GradMode _ = GradMode.noGrad();
                    TensorScope _ = TensorScope.open()) {
                  passes.apply(image(1, 1), Torch.scalar(1.0), null);
                }
              });
      other.join();
      assertThat(log).containsExactly("pass of 1", "pass of 1");
      passes.apply(image(1, 1), Torch.scalar(1.0), null);
      assertThat(log).endsWith("recorded", "replayed");
    }
    assertThat(open).isZero();
  }

  @Test
  void recordingsEndWhereMemoryDoesNotSuffice() {
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        GraphedPasses small = passes(CudaGraphs.AUTO);
        GraphedPasses large =
            new GraphedPasses(new Recorder(), Device.CPU, this::large, CudaGraphs.AUTO)) {
      small.apply(image(1, 1), Torch.scalar(1.0), null);
      small.apply(image(1, 1), Torch.scalar(1.0), null);
      assertThat(open).isEqualTo(1);

      assertThat(large.apply(image(3, 2), Torch.scalar(1.0), null).toDoubles()).containsOnly(2);
      assertThat(open).isZero();

      // What took the memory is not recorded again.
      log.clear();
      small.apply(image(1, 1), Torch.scalar(1.0), null);
      small.apply(image(1, 1), Torch.scalar(1.0), null);
      assertThat(log).containsExactly("pass of 1", "pass of 1");
    }
  }

  @Test
  void withoutRecordingsTooLittleMemoryIsAnError() {
    open = 1;
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        GraphedPasses large =
            new GraphedPasses(new Recorder(), Device.CPU, this::large, CudaGraphs.AUTO)) {
      assertThatThrownBy(() -> large.apply(image(3, 2), Torch.scalar(1.0), null))
          .isInstanceOf(TorchException.class)
          .hasMessage("CUDA out of memory");
    }
  }

  /** As {@link #pass}, where the memory of no recording is taken. */
  private Tensor large(Tensor image, Tensor sigma, @Nullable Tensor labels) {
    if (open > 0) {
      throw new TorchException("CUDA out of memory");
    }
    return pass(image, sigma, labels);
  }
}
