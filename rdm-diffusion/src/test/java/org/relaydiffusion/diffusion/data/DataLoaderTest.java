// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NoSuchElementException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.fixture.Fixture;
import org.relaydiffusion.diffusion.random.InfiniteSampler;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

class DataLoaderTest {
  private static final Path SET = Fixture.of("dataset/convert").folder().resolve("center_crop.zip");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3})
  void batchesAreTheItemsInTheSamplersOrder(int workers) {
    DatasetOptions options = DatasetOptions.DEFAULT.withLabels().withMirrored();
    for (int rank = 0; rank < 2; rank++) {
      InfiniteSampler order = sampler(18, rank, 2);
      try (var data = ImageFolderDataset.open(SET, options);
          var loader = new DataLoader(data, sampler(18, rank, 2), 4, workers, Device.CPU)) {
        for (int i = 0; i < 25; i++) {
          try (Batch batch = loader.next()) {
            assertThat(batch.indices()).isEqualTo(take(order, 4));
            assertHolds(batch, data);
          }
        }
      }
    }
  }

  @Test
  void ranksTogetherReadTheOneOrder() {
    InfiniteSampler common = sampler(9, 0, 1);
    try (var data = ImageFolderDataset.open(SET, DatasetOptions.DEFAULT);
        var first = new DataLoader(data, sampler(9, 0, 2), 3, 1, Device.CPU);
        var second = new DataLoader(data, sampler(9, 1, 2), 3, 1, Device.CPU)) {
      for (int i = 0; i < 10; i++) {
        try (Batch a = first.next();
            Batch b = second.next()) {
          for (int k = 0; k < 3; k++) {
            assertThat(a.indices()[k]).isEqualTo(common.nextInt());
            assertThat(b.indices()[k]).isEqualTo(common.nextInt());
          }
        }
      }
    }
  }

  @Test
  void aSamplerThatSkippedGoesOnWhereARunStopped() {
    List<int[]> whole = new ArrayList<>();
    try (var data = ImageFolderDataset.open(SET, DatasetOptions.DEFAULT.withCache())) {
      try (var loader = new DataLoader(data, sampler(9, 1, 2), 5, 2, Device.CPU)) {
        for (int i = 0; i < 12; i++) {
          whole.add(indices(loader));
        }
      }
      InfiniteSampler skipped = sampler(9, 1, 2);
      skipped.skip(7 * 5);
      try (var loader = new DataLoader(data, skipped, 5, 2, Device.CPU)) {
        for (int i = 7; i < 12; i++) {
          assertThat(indices(loader)).isEqualTo(whole.get(i));
        }
      }
    }
  }

  @Test
  void tensorsBelongToTheCallersScope() {
    long before = Tensor.liveCount();
    try (var data = ImageFolderDataset.open(SET, DatasetOptions.DEFAULT);
        var loader = new DataLoader(data, sampler(9, 0, 1), 2, 1, Device.CPU)) {
      Tensor images;
      try (TensorScope _ = TensorScope.open()) {
        images = loader.next().images();
        assertThat(images.isClosed()).isFalse();
      }
      assertThat(images.isClosed()).isTrue();
    }
    assertThat(Tensor.liveCount()).isEqualTo(before);
  }

  @Test
  void closingEarlyLeavesNoThreadAndNoTensor() {
    long before = Tensor.liveCount();
    try (var data = ImageFolderDataset.open(SET, DatasetOptions.DEFAULT)) {
      for (int taken = 0; taken < 3; taken++) {
        DataLoader loader = new DataLoader(data, sampler(9, 0, 1), 4, 3, Device.CPU);
        for (int i = 0; i < taken; i++) {
          loader.next().close();
        }
        loader.close();
        loader.close();
        assertThat(Tensor.liveCount()).isEqualTo(before);
        assertThat(Thread.getAllStackTraces().keySet())
            .noneMatch(t -> t.isAlive() && t.getName().startsWith("rdm-data-"));
        assertThatThrownBy(loader::next).hasMessageContaining("closed");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3})
  void aDamagedPictureShowsAsOneLineAtItsBatch(int workers) throws IOException {
    Path squares = Fixture.of("dataset/convert").folder().resolve("src_square");
    for (int i = 0; i < 8; i++) {
      Files.copy(squares.resolve("img0.png"), folder.resolve("img" + i + ".png"));
    }
    Path bad = folder.resolve("img5.png");
    Files.write(bad, Arrays.copyOf(Files.readAllBytes(bad), 300));
    Files.writeString(folder.resolve("img6.png"), "no picture");
    long before = Tensor.liveCount();
    try (var data = ImageFolderDataset.open(folder, DatasetOptions.DEFAULT);
        var loader =
            new DataLoader(data, InfiniteSampler.inOrder(8, 0, 1), 4, workers, Device.CPU)) {
      assertThat(indices(loader)).containsExactly(0, 1, 2, 3);
      for (int i = 0; i < 2; i++) {
        assertThatThrownBy(loader::next)
            .isInstanceOf(FileException.class)
            .hasMessageStartingWith(bad + ": ")
            .hasMessageMatching("[^\n]*");
      }
    }
    assertThat(Tensor.liveCount()).isEqualTo(before);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3})
  void batchesThatOthersChooseComeInTheirOrderAndEnd(int workers) {
    List<int[]> chosen = List.of(new int[] {8, 0}, new int[] {3}, new int[] {1, 1, 2, 7, 5});
    long before = Tensor.liveCount();
    try (var data = ImageFolderDataset.open(SET, DatasetOptions.DEFAULT.withLabels());
        var loader = new DataLoader(data, chosen.iterator(), workers, Device.CPU)) {
      for (int[] indices : chosen) {
        try (Batch batch = loader.next()) {
          assertThat(batch.indices()).isEqualTo(indices);
          assertHolds(batch, data);
        }
      }
      assertThatThrownBy(loader::next).isInstanceOf(NoSuchElementException.class);
    }
    assertThat(Tensor.liveCount()).isEqualTo(before);
  }

  @Test
  void anInterruptedWaitIsNoEnd() {
    try (var data = ImageFolderDataset.open(SET, DatasetOptions.DEFAULT);
        var loader = new DataLoader(data, sampler(9, 0, 1), 1000, 1, Device.CPU)) {
      Thread.currentThread().interrupt();
      assertThatThrownBy(loader::next)
          .isInstanceOf(CancelledException.class)
          .hasMessage("waiting for training data was interrupted");
      assertThat(Thread.interrupted()).isTrue();
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> loader.prepare(1)).isInstanceOf(CancelledException.class);
      assertThat(Thread.interrupted()).isTrue();
      assertThat(indices(loader)).isEqualTo(take(sampler(9, 0, 1), 1000));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3})
  void preparedBatchesAreThereAndTheSame(int workers) {
    long before = Tensor.liveCount();
    try (var data = ImageFolderDataset.open(SET, DatasetOptions.DEFAULT);
        var loader = new DataLoader(data, sampler(9, 0, 1), 4, workers, Device.CPU)) {
      List<Integer> all = new ArrayList<>();
      for (int step = 0; step < 3; step++) {
        loader.prepare(5);
        // What is prepared is not waited for.
        Thread.currentThread().interrupt();
        for (int i = 0; i < 5; i++) {
          for (int index : indices(loader)) {
            all.add(index);
          }
        }
        assertThat(Thread.interrupted()).isTrue();
      }
      assertThat(all.stream().mapToInt(i -> i).toArray()).isEqualTo(take(sampler(9, 0, 1), 60));
    }
    assertThat(Tensor.liveCount()).isEqualTo(before);
  }

  @Test
  void nonsenseIsRefused() {
    try (var data = ImageFolderDataset.open(SET, DatasetOptions.DEFAULT)) {
      assertThatThrownBy(() -> new DataLoader(data, sampler(9, 0, 1), 0, 1, Device.CPU))
          .isInstanceOf(OptionException.class);
      assertThatThrownBy(() -> new DataLoader(data, sampler(9, 0, 1), 1, -1, Device.CPU))
          .isInstanceOf(OptionException.class)
          .hasMessageContaining("--workers");
      assertThatThrownBy(() -> new DataLoader(data, sampler(9, 0, 1), 1 << 30, 1, Device.CPU))
          .isInstanceOf(OptionException.class);
    }
  }

  private static void assertHolds(Batch batch, ImageFolderDataset data) {
    int count = batch.indices().length;
    assertThat(batch.images().dtype()).isEqualTo(DType.UINT8);
    assertThat(batch.images().shape()).containsExactly(count, 3, 64, 64);
    assertThat(batch.labels().dtype()).isEqualTo(DType.FLOAT32);
    assertThat(batch.labels().shape()).containsExactly(count, data.labelDim());
    byte[] images = batch.images().memory().toArray(ValueLayout.JAVA_BYTE);
    float[] labels = batch.labels().toFloats();
    int size = images.length / count;
    for (int i = 0; i < count; i++) {
      int item = batch.indices()[i];
      assertThat(Arrays.copyOfRange(images, i * size, (i + 1) * size)).isEqualTo(data.image(item));
      assertThat(Arrays.copyOfRange(labels, i * data.labelDim(), (i + 1) * data.labelDim()))
          .isEqualTo(data.label(item));
    }
  }

  private static int[] indices(DataLoader loader) {
    try (Batch batch = loader.next()) {
      return batch.indices();
    }
  }

  private static InfiniteSampler sampler(int size, int rank, int replicas) {
    return InfiniteSampler.shuffled(size, rank, replicas, 5, InfiniteSampler.DEFAULT_WINDOW);
  }

  private static int[] take(InfiniteSampler sampler, int count) {
    int[] items = new int[count];
    Arrays.setAll(items, _ -> sampler.nextInt());
    return items;
  }
}
