// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.checkpoint.OptimizerRecord.ParameterState;
import org.relaydiffusion.model.safetensors.SafetensorsFile;
import org.relaydiffusion.torch.TensorData;
import tools.jackson.databind.JsonNode;

/**
 * Fixtures checkpoints/*: files that the official code wrote, with what PyTorch reads from them.
 */
class OfficialCheckpointTest {
  static List<Path> files() {
    return Fixtures.official();
  }

  @ParameterizedTest
  @MethodSource("files")
  void classAndSettingsAreThoseThatPythonReads(Path file) {
    JsonNode expected = Fixtures.json(Fixtures.beside(file, ".expected.json"));
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      assertThat(checkpoint.networks()).isNotEmpty();
      for (Which which : Which.values()) {
        assertThat(checkpoint.networks().containsKey(which.key()))
            .isEqualTo(expected.has(which.key()));
      }
      checkpoint
          .networks()
          .forEach((key, network) -> {
            JsonNode wanted = expected.get(key);
            assertThat(network.className()).isEqualTo(wanted.get("class_name").asString());
            assertThat(PlainJson.write(network.initKwargs()))
                .as("settings and their order")
                .isEqualTo(PlainJson.write(plain(wanted.get("init_kwargs"))));
            assertThat(network.tensors().keySet())
                .containsExactlyElementsOf(strings(wanted.get("state_dict_order")));
            assertThat(network.parameterNames())
                .containsExactlyElementsOf(strings(wanted.get("parameter_order")));
          });
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void tensorsAreThoseThatPythonReadsBitForBit(Path file) {
    try (Checkpoint checkpoint = Checkpoint.open(file);
        SafetensorsFile expected =
            SafetensorsFile.open(Fixtures.beside(file, ".expected.safetensors"))) {
      checkpoint
          .networks()
          .forEach((key, network) -> {
            String prefix = key + ".state.";
            long wanted =
                expected.tensors().keySet().stream().filter(n -> n.startsWith(prefix)).count();
            assertThat(network.tensors()).hasSize((int) wanted).isNotEmpty();
            network
                .state()
                .forEach((name, data) -> {
                  TensorData reference = Fixtures.get(expected.tensors(), prefix + name);
                  assertSame(prefix + name, data, reference);
                  assertThat(data.memory().isNative()).isTrue();
                  assertThat(data.memory().address() % data.dtype().byteSize()).isZero();
                  assertSame(name, Fixtures.get(network.tensors(), name).raw(), reference);
                });
          });
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void optimizerStateIsThatOfAdam(Path file) {
    JsonNode json = Fixtures.json(Fixtures.beside(file, ".expected.json"));
    try (Checkpoint checkpoint = Checkpoint.open(file);
        SafetensorsFile expected =
            SafetensorsFile.open(Fixtures.beside(file, ".expected.safetensors"))) {
      assertThat(checkpoint.optimizer().isPresent()).isEqualTo(json.has("param_groups"));
      checkpoint
          .optimizer()
          .ifPresent(optimizer -> {
            for (String moment : List.of("exp_avg", "exp_avg_sq")) {
              ByteArrayOutputStream flat = new ByteArrayOutputStream();
              new TreeMap<>(optimizer.parameters())
                  .values()
                  .forEach(s -> flat.writeBytes(Fixtures.bytes(tensor(s, moment).data())));
              assertThat(flat.toByteArray())
                  .isEqualTo(
                      Fixtures.bytes(Fixtures.get(expected.tensors(), "adam." + moment + "_flat")));
            }
            ParameterState first = Fixtures.get(optimizer.parameters(), 0L);
            assertThat(Fixtures.bytes(tensor(first, "step").data()))
                .as("step 2 as a float32")
                .containsExactly(0, 0, 0, 0x40);
            assertThat(PlainJson.write(optimizer.groups()))
                .isEqualTo(PlainJson.write(plain(json.get("param_groups"))));
          });
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void otherEntriesAreThoseThatPythonReads(Path file) {
    JsonNode expected = Fixtures.json(Fixtures.beside(file, ".expected.json"));
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      Map<String, CheckpointEntry> others = checkpoint.otherEntries();
      assertThat(checkpoint.tensors()).isEmpty();
      for (String key : List.of("loss_fn", "augment_pipe", "dataset_kwargs", "step")) {
        JsonNode wanted = expected.get(key);
        if (wanted == null) {
          assertThat(others).doesNotContainKey(key);
        } else if (wanted.has("init_kwargs")) {
          CheckpointEntry.ObjectEntry entry =
              (CheckpointEntry.ObjectEntry) Fixtures.get(others, key);
          assertThat(entry.className()).isEqualTo(wanted.get("class_name").asString());
          assertThat(PlainJson.write(entry.initKwargs()))
              .isEqualTo(PlainJson.write(plain(wanted.get("init_kwargs"))));
        } else {
          CheckpointEntry.Plain entry = (CheckpointEntry.Plain) Fixtures.get(others, key);
          assertThat(PlainJson.write(entry.value())).isEqualTo(PlainJson.write(plain(wanted)));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void theSummaryNamesEveryTensor(Path file) {
    CheckpointSummary summary;
    NetworkRecord network;
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      summary = checkpoint.summary();
      network = checkpoint.network();
    }
    assertThat(Fixtures.get(summary.networks(), "ema").parameterCount())
        .isEqualTo(network.parameterCount())
        .isPositive();
    assertThat(summary.lines()).allSatisfy(line -> assertThat(line).doesNotContain("\n"));
    List<String> text = summary.lines();
    network
        .tensors()
        .forEach((name, tensor) ->
            assertThat(text)
                .contains("  %s float32%s".formatted(name, Arrays.toString(tensor.shape()))));
    assertThat(text.get(1)).startsWith("ema: " + network.className() + ", ");
  }

  private static StoredTensor tensor(ParameterState state, String name) {
    return Fixtures.get(state.tensors(), name);
  }

  private static void assertSame(String name, TensorData found, TensorData wanted) {
    assertThat(found.dtype()).as(name).isEqualTo(wanted.dtype());
    assertThat(found.shape()).as(name).isEqualTo(wanted.shape());
    assertThat(Fixtures.bytes(found)).as(name).isEqualTo(Fixtures.bytes(wanted));
  }

  private static List<String> strings(JsonNode list) {
    List<String> all = new ArrayList<>();
    list.forEach(node -> all.add(node.asString()));
    return all;
  }

  private static @Nullable Object plain(JsonNode node) {
    return PlainJson.readObject("{\"x\":" + node + "}").get("x");
  }
}
