// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.FileException;
import org.relaydiffusion.model.safetensors.TensorSource;

/** Fixtures checkpoints/*snapshot*: EDM over ADM, and VP over DDPM++. */
class NetworkSnapshotFileTest {
  @TempDir Path folder;

  static Stream<Path> snapshots() {
    return Fixtures.official().stream().filter(f -> f.toString().endsWith(".pkl"));
  }

  @ParameterizedTest
  @MethodSource("snapshots")
  void aSnapshotIsWrittenAsTheOfficialCodeWroteIt(Path official) throws IOException {
    Path copy = folder.resolve(NetworkSnapshotFile.name(123, "pkl"));
    assertThat(copy.getFileName()).isEqualTo(official.getFileName());
    try (Checkpoint from = Checkpoint.open(official)) {
      NetworkSnapshotFile.writePickle(copy, snapshot(from));
    }
    OfficialFormTest.assertSameForm(official, copy);
  }

  @ParameterizedTest
  @MethodSource("snapshots")
  void aSnapshotComesBackToTheBit(Path official) {
    Path copy = folder.resolve("copy.pkl");
    try (Checkpoint from = Checkpoint.open(official)) {
      NetworkSnapshotFile.writePickle(copy, snapshot(from));
      try (Checkpoint to = Checkpoint.open(copy)) {
        assertThat(to.format()).isEqualTo(CheckpointFormat.PICKLE);
        assertThat(to.otherEntries()).isEqualTo(from.otherEntries());
        assertSame(to.network(), from.network());
        assertThat(to.network().modules()).isEqualTo(from.network().modules());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("snapshots")
  void aSafetensorsSnapshotIsWhatConversionWrites(Path official) {
    Path converted = folder.resolve("converted.safetensors");
    Path written = folder.resolve("written.safetensors");
    new CheckpointConverter(NetworkValidator.definition())
        .convert(official, converted, Which.EMA, Optional.empty());
    try (Checkpoint from = Checkpoint.open(official)) {
      NetworkSnapshotFile.writeSafetensors(written, snapshot(from).ema(), Which.EMA);
    }
    assertThat(written).hasSameBinaryContentAs(converted);
  }

  @Test
  void whatWasTrainedByMayBeUnknown() {
    Path file = folder.resolve("bare.pkl");
    try (Checkpoint from = Checkpoint.open(snapshots().findFirst().orElseThrow())) {
      NetworkSnapshotFile.writePickle(
          file,
          new NetworkSnapshot(
              NetworkContents.of(from.network()), Optional.empty(), Optional.empty(), Map.of()));
      try (Checkpoint to = Checkpoint.open(file)) {
        assertThat(to.otherEntries().get("loss_fn")).isEqualTo(new CheckpointEntry.Plain(null));
        assertSame(to.network(), from.network());
      }
    }
  }

  @Test
  void aTensorOfAnotherShapeIsNamedAndNothingIsWritten() {
    try (Checkpoint from = Checkpoint.open(snapshots().findFirst().orElseThrow())) {
      NetworkContents ema = NetworkContents.of(from.network());
      Map<String, TensorSource> tensors = new LinkedHashMap<>(ema.tensors());
      tensors.put("model.map_layer0.bias", TensorSources.scalar(1));
      NetworkContents broken = new NetworkContents(ema.className(), ema.initKwargs(), tensors);
      assertThatThrownBy(
              () -> NetworkSnapshotFile.writeSafetensors(folder.resolve("x"), broken, Which.EMA))
          .isInstanceOf(FileException.class)
          .hasMessageContaining("model.map_layer0.bias");
      assertThatThrownBy(() ->
              NetworkSnapshotFile.writePickle(
                  folder.resolve("x"),
                  new NetworkSnapshot(broken, Optional.empty(), Optional.empty(), Map.of())))
          .isInstanceOf(FileException.class)
          .hasMessageContaining("model.map_layer0.bias");
    }
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void anArgumentThatALossOrTheAugmentationDoesNotHaveIsNamed() {
    assertThatThrownBy(() -> ObjectContents.loss("EDMLoss", Map.of("up_scale", 4)))
        .hasMessage("EDMLoss has no argument 'up_scale'");
    assertThatThrownBy(() -> ObjectContents.loss("L2", Map.of()))
        .hasMessage("unknown loss 'L2', expected one of [BlurLoss, EDMLoss, VELoss, VPLoss]");
    assertThatThrownBy(() -> ObjectContents.augmentPipe(Map.of("p", "much")))
        .hasMessage("AugmentPipe: p must be a number");
  }

  /** The snapshot in an open file. */
  private static NetworkSnapshot snapshot(Checkpoint from) {
    Map<String, CheckpointEntry> others = from.otherEntries();
    Map<String, @Nullable Object> dataset = new LinkedHashMap<>();
    ((Map<?, ?>) plain(Fixtures.get(others, "dataset_kwargs")))
        .forEach((key, value) -> dataset.put((String) key, value));
    return new NetworkSnapshot(
        NetworkContents.of(from.network()),
        object(others, "loss_fn").map(o -> ObjectContents.loss(o.className(), o.initKwargs())),
        object(others, "augment_pipe").map(o -> ObjectContents.augmentPipe(o.initKwargs())),
        dataset);
  }

  private static Object plain(CheckpointEntry entry) {
    Object value = ((CheckpointEntry.Plain) entry).value();
    return value == null ? Map.of() : value;
  }

  private static Optional<CheckpointEntry.ObjectEntry> object(
      Map<String, CheckpointEntry> others, String key) {
    return Fixtures.get(others, key) instanceof CheckpointEntry.ObjectEntry entry
        ? Optional.of(entry)
        : Optional.empty();
  }

  private static void assertSame(NetworkRecord read, NetworkRecord wanted) {
    assertThat(read.className()).isEqualTo(wanted.className());
    assertThat(PlainJson.write(read.initKwargs())).isEqualTo(PlainJson.write(wanted.initKwargs()));
    assertThat(read.parameterNames()).isEqualTo(wanted.parameterNames());
    assertThat(List.copyOf(read.tensors().keySet()))
        .isEqualTo(List.copyOf(wanted.tensors().keySet()));
    read.tensors()
        .forEach((name, tensor) ->
            assertThat(Fixtures.bytes(tensor.data()))
                .isEqualTo(Fixtures.bytes(Fixtures.get(wanted.tensors(), name).data())));
  }
}
