// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** What a network does when it is closed, shared, in training, or asked for the wrong thing. */
class NetworkLifeTest {
  private static final ModelConfig CONFIG =
      ModelConfig.of(
          "EDMPrecond",
          Map.of(
              "img_resolution", 8L,
              "img_channels", 3L,
              "label_dim", 5L,
              "augment_dim", 9L,
              "model_channels", 8L,
              "channel_mult", List.of(1L, 2L),
              "num_blocks", 1L));

  private static Preconditioner network(Numerics numerics) {
    try (Generator generator = Generator.seeded(1)) {
      return Preconditioner.initialized(
          CONFIG, generator, new LoadOptions(numerics, DType.FLOAT32, Device.CPU));
    }
  }

  private static Tensor images(long n) {
    return Torch.ones(DType.FLOAT32, n, 3, 8, 8);
  }

  @ParameterizedTest
  @EnumSource
  void aClosedNetworkSaysSo(Numerics numerics) {
    try (TensorScope _ = TensorScope.open()) {
      Preconditioner network = network(numerics);
      assertThat(network.denoise(images(2), Torch.scalar(1.0), null).shape())
          .containsExactly(2, 3, 8, 8);
      network.close();
      network.close();
      assertThatThrownBy(() -> network.denoise(images(2), Torch.scalar(1.0), null))
          .isInstanceOf(ModelException.class)
          .hasMessage("this network is closed");
    }
  }

  @Test
  void closingWaitsForTheThreadsThatDenoise() throws Exception {
    Preconditioner network = network(Numerics.FAST);
    CompletableFuture<Void> inside = new CompletableFuture<>();
    CompletableFuture<Void> goOn = new CompletableFuture<>();
    network.observe((_, _) -> {
      inside.complete(null);
      goOn.join();
    });
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      Future<List<Long>> work =
          threads.submit(() -> {
            try (TensorScope _ = TensorScope.open()) {
              Tensor out = network.denoise(images(1), Torch.scalar(1.0), null);
              return List.of(out.size(0), out.size(3));
            }
          });
      inside.join();
      Future<?> closing = threads.submit(network::close);
      Thread.sleep(50);
      assertThat(closing.isDone()).isFalse();
      goOn.complete(null);
      assertThat(work.get()).containsExactly(1L, 8L);
      closing.get();
    }
  }

  @Test
  @SuppressWarnings("try") // Closed by hand, which is the point.
  void aNetworkIsNotClosedFromInsideItself() {
    try (TensorScope _ = TensorScope.open();
        Preconditioner network = network(Numerics.EXACT)) {
      network.observe((_, _) -> network.close());
      assertThatThrownBy(() -> network.denoise(images(1), Torch.scalar(1.0), null))
          .isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void aPackedNetworkRefusesTraining() {
    try (TensorScope _ = TensorScope.open();
        Preconditioner network = network(Numerics.FAST)) {
      network.train();
      assertThatThrownBy(() -> network.denoise(images(1), Torch.scalar(1.0), null))
          .isInstanceOf(ModelException.class)
          .hasMessageContaining("cannot be trained");
      network.eval();
      assertThat(network.denoise(images(1), Torch.scalar(1.0), null).numel()).isEqualTo(192);
    }
  }

  /** What these would change, {@code options()} and the packed convolutions, stays as it was. */
  @ParameterizedTest
  @EnumSource
  @SuppressWarnings("try") // Closed by hand, which is the point.
  void howANetworkWasLoadedStays(Numerics numerics) {
    try (TensorScope _ = TensorScope.open();
        Preconditioner network = network(numerics)) {
      assertThatThrownBy(() -> network.to(DType.FLOAT64))
          .isInstanceOf(ModelException.class)
          .hasMessage(
              "a network cannot be converted to float64: load it again with other LoadOptions");
      assertThatThrownBy(() -> network.to(Device.cuda(0)))
          .isInstanceOf(ModelException.class)
          .hasMessage("a network cannot be moved to cuda:0: load it again with other LoadOptions");
      assertThatThrownBy(() -> network.requiresGrad(true))
          .isInstanceOf(ModelException.class)
          .hasMessageEndingWith("make it with Preconditioner.trainable");
      network.requiresGrad(false);
      assertThat(network.denoise(images(1), Torch.scalar(1.0), null).numel()).isEqualTo(192);
      network.close();
      assertThatThrownBy(() -> network.requiresGrad(false)).hasMessage("this network is closed");
    }
  }

  @ParameterizedTest
  @EnumSource
  void anEmptyBatchIsFollowedByOthers(Numerics numerics) {
    try (TensorScope _ = TensorScope.open();
        Preconditioner network = network(numerics)) {
      for (long n : new long[] {0, 2, 0, 1}) {
        assertThat(network.denoise(images(n), Torch.scalar(1.0), null).shape())
            .containsExactly(n, 3, 8, 8);
      }
    }
  }

  @Test
  void aTrainableNetworkMayBeFrozen() {
    try (Generator generator = Generator.seeded(1);
        Preconditioner network = Preconditioner.trainable(CONFIG, generator, LoadOptions.EXACT)) {
      network.requiresGrad(false);
      assertThat(network.requiresGrad()).isFalse();
      network.requiresGrad(true);
      assertThat(network.requiresGrad()).isTrue();
    }
  }

  @Test
  void operandsThatDoNotFitAreRefused() {
    try (TensorScope _ = TensorScope.open();
        Preconditioner network = network(Numerics.FAST)) {
      Tensor sigma = Torch.scalar(1.0);
      assertThatThrownBy(() -> network.denoise(Torch.ones(DType.FLOAT32, 1, 3, 8, 7), sigma, null))
          .hasMessage("this network takes images [N, 3, 8, 8], not float32[1, 3, 8, 7]");
      assertThatThrownBy(() -> network.denoise(images(2), Torch.ones(DType.FLOAT32, 3), null))
          .hasMessageContaining("2 images need 1 or 2 noise levels");
      assertThatThrownBy(() -> network.denoise(images(2), sigma, Torch.ones(DType.FLOAT32, 2, 4)))
          .hasMessage("2 images need labels [2, 5] or [1, 5], not float32[2, 4]");
      assertThatThrownBy(
              () -> network.denoise(images(2), sigma, null, Torch.ones(DType.FLOAT32, 3, 9)))
          .hasMessage("2 images need augmentation labels [2, 9] or [1, 9], not float32[3, 9]");
    }
  }

  @Test
  void typesThatNoNetworkRunsInAreRefused() {
    assertThatThrownBy(() -> new LoadOptions(Numerics.FAST, DType.INT8, Device.CPU))
        .isInstanceOf(OptionException.class)
        .hasMessage("networks run in float32, bfloat16 or float16, not int8");
    assertThatThrownBy(() -> new LoadOptions(Numerics.FAST, DType.FLOAT16, Device.CPU))
        .isInstanceOf(OptionException.class)
        .hasMessage("float16 needs a CUDA device; on the CPU use bfloat16 or float32");
  }

  @Test
  void aDeviceThatIsNotThereIsRefusedBeforeAnythingIsLoaded() {
    LoadOptions far = new LoadOptions(Numerics.EXACT, DType.FLOAT32, Device.cuda(99));
    assertThatThrownBy(() -> Preconditioner.load(CONFIG, Map.of(), far))
        .isInstanceOf(OptionException.class)
        .hasMessageStartingWith("device cuda:99 cannot be used: ");
    try (Generator generator = Generator.seeded(1)) {
      assertThatThrownBy(() -> Preconditioner.initialized(CONFIG, generator, far))
          .isInstanceOf(OptionException.class);
    }
  }
}
