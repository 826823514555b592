// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.FileException;
import org.relaydiffusion.checkpoint.pickle.PersistentObject;
import org.relaydiffusion.checkpoint.pickle.PyNone;
import org.relaydiffusion.checkpoint.pickle.Tuple;

class CheckpointTest {
  /** A legacy stream of one tensor: the last two of 600 million floats. The storage follows. */
  private static final String HUGE =
      "80028a0a6cfc9c46f9206aa850192e80024de9032e80027d7100580d0000006c6974746c655f656e"
          + "6469616e710188732e80027d7100580100000077710163746f7263682e5f7574696c730a5f726562"
          + "75696c645f74656e736f725f76320a71022828580700000073746f72616765710363746f7263680a"
          + "466c6f617453746f726167650a71045801000000307105580300000063707571064a0046c3234e74"
          + "7107514afe45c3234b028571084b018571098963636f6c6c656374696f6e730a4f72646572656444"
          + "6963740a710a2952710b74710c52710d732e80025d71005801000000307101612e0046c323000000"
          + "00";

  private static final long HUGE_BYTES = 4 * 600_000_000L;

  @TempDir Path folder;

  @Test
  void aStorageBeyondTwoGibibytesIsUsedWithoutReadingIt() throws IOException {
    byte[] start = HexFormat.of().parseHex(HUGE);
    Path path = folder.resolve("huge.pt");
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.write(start);
      // A hole in the file: nothing of it is on the disk.
      file.setLength(start.length + HUGE_BYTES);
      file.seek(start.length + HUGE_BYTES - 8);
      file.write(new byte[] {1, 2, 3, 4, 5, 6, 7, 8});
    }
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      assertThat(checkpoint.format()).isEqualTo(CheckpointFormat.TORCH_LEGACY);
      StoredTensor tensor = Fixtures.get(checkpoint.tensors(), "w");
      assertThat(Fixtures.bytes(tensor.raw())).containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
    }
    try (RandomAccessFile file = new RandomAccessFile(path.toFile(), "rw")) {
      file.setLength(start.length + HUGE_BYTES - 1);
    }
    assertThatThrownBy(() -> Checkpoint.open(path))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("declares 2400000000 bytes, but only 2399999999 are left");
  }

  static Stream<Path> pipelines() throws IOException {
    try (Stream<Path> files = Files.walk(Fixtures.ROOT.resolve("samplers"))) {
      List<Path> found =
          files.filter(f -> f.endsWith("first.pkl") || f.endsWith("second.pt")).sorted().toList();
      assertThat(found).hasSize(8);
      return found.stream();
    }
  }

  /** Fixtures samplers/relay_*: the networks of whole pipelines. */
  @ParameterizedTest
  @MethodSource("pipelines")
  void theNetworksOfThePipelinesOpen(Path file) {
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      NetworkRecord network = checkpoint.network();
      assertThat(network.className()).isEqualTo("EDMPrecond");
      assertThat(network.state()).isNotEmpty();
      NetworkChecks.check(file, network);
    }
  }

  @Test
  void positionalArgumentsGetTheirNames() {
    PersistentObject object =
        new PersistentObject(
            "EDMPrecond",
            Map.of(
                "_init_args",
                new Tuple(List.of(64L, 3L, 10L)),
                "_init_kwargs",
                Map.of("sigma_min", PyNone.NONE)));
    Path file = Path.of("x.pkl");
    Map<String, ?> arguments = ModuleReader.arguments(file, "ema", object, PlainValues.strict());
    assertThat(arguments.keySet())
        .containsExactly("img_resolution", "img_channels", "label_dim", "sigma_min");
    assertThat(arguments.values().stream().map(String::valueOf))
        .containsExactly("64", "3", "10", "null");
  }

  @Test
  void anArgumentGivenTwiceIsRefused() {
    PersistentObject object =
        new PersistentObject(
            "EDMPrecond",
            Map.of(
                "_init_args",
                new Tuple(List.of(64L)),
                "_init_kwargs",
                Map.of("img_resolution", 32L)));
    assertThatThrownBy(
            () -> ModuleReader.arguments(Path.of("x.pkl"), "ema", object, PlainValues.strict()))
        .hasMessage("x.pkl: 'ema' has the argument 'img_resolution' twice");
  }

  @Test
  void infinitiesSurviveTheHeader() {
    Map<String, Object> kwargs = Map.of("a", List.of(Double.POSITIVE_INFINITY, 0.13, 100000000.0));
    assertThat(PlainJson.readObject(PlainJson.write(kwargs))).isEqualTo(kwargs);
  }

  @Test
  void aMissingFileAndAFolderAreNamed() {
    assertThatThrownBy(() -> Checkpoint.open(folder.resolve("none.pt")))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("none.pt: cannot be read: no such file");
    assertThatThrownBy(() -> Checkpoint.open(folder))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("is a folder");
  }
}
