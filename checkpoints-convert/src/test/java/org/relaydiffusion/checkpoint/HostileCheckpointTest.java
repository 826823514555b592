// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.FileException;
import tools.jackson.databind.JsonNode;

/** Fixtures checkpoints_bad/files: what manifest.json says must be refused, is; controls load. */
class HostileCheckpointTest {
  /** More than the reader needs to start with, far less than any of the files claims. */
  private static final long MOST_HEAP = 48L << 20;

  @TempDir Path folder;

  static Stream<Arguments> manifest() {
    JsonNode manifest = Fixtures.json(Fixtures.BAD.resolve("manifest.json"));
    assertThat(manifest.size()).isGreaterThan(100);
    return StreamSupport.stream(manifest.spliterator(), false)
        .map(e ->
            Arguments.of(
                e.get("file").asString(),
                e.get("expect").asString(),
                e.get("category").asString(),
                e.get("what").asString()));
  }

  @ParameterizedTest(name = "{0}: {1}, {3}")
  @MethodSource("manifest")
  @Timeout(10)
  void isTreatedAsTheManifestSays(String name, String expect, String category, String what) {
    Path file = Fixtures.BAD.resolve(name);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long heapBefore = threads.getCurrentThreadAllocatedBytes();
    long start = System.nanoTime();
    switch (expect) {
      case "load" -> assertThatCode(() -> readAll(file)).as(what).doesNotThrowAnyException();
      case "refuse" -> {
        if (category.equals("content")) {
          Path target = folder.resolve("out.safetensors");
          assertRefused(file, () -> convert(file, target));
          assertThat(target).doesNotExist();
        } else {
          assertRefused(file, () -> readAll(file));
        }
      }
      default -> {
        // Refusing is allowed, loading is too; anything else is not.
        try {
          readAll(file);
        } catch (FileException e) {
          assertThat(e).hasMessageStartingWith(file.toString());
        }
      }
    }
    assertThat(Duration.ofNanos(System.nanoTime() - start))
        .as(what)
        .isLessThan(Duration.ofSeconds(2));
    assertThat(threads.getCurrentThreadAllocatedBytes() - heapBefore)
        .as("heap for " + what)
        .isLessThan(MOST_HEAP);
    assertThat(Path.of("PWNED_BY_PICKLE")).doesNotExist();
  }

  @Test
  void controlsHoldTheValuesThatTheManifestNames() {
    assertThat(floats("good_minimal.pt", "a")).containsExactly(0, 1, 2, 3, 4, 5);
    assertThat(floats("good_cuda_location.pt", "a")).containsExactly(0, 1, 2, 3, 4, 5);
    assertThat(floats("good_legacy.pt", "a")).containsExactly(0, 1, 2, 3, 4, 5);
    assertThat(floats("good_shared_storage_views.pt", "a")).containsExactly(0, 1, 2, 3, 4, 5);
    assertThat(floats("good_shared_storage_views.pt", "b")).containsExactly(0, 3, 1, 4, 2, 5);
    assertThat(floats("good_shared_storage_views.pt", "c")).containsExactly(1, 3);
    try (Checkpoint c = Checkpoint.open(Fixtures.BAD.resolve("good_scalar_and_empty.pt"))) {
      assertThat(c.tensors().values())
          .extracting(t -> List.of(t.shape().length, t.numel()))
          .containsExactly(List.of(0, 1L), List.of(2, 0L));
    }
    try (Checkpoint c = Checkpoint.open(Fixtures.BAD.resolve("good_half_and_int.pt"))) {
      assertThat(c.tensors().values())
          .extracting(t -> java.util.HexFormat.of().formatHex(Fixtures.bytes(t.data())))
          .containsExactly(
              "003e00c0", "0700000000000000f7ffffffffffffff", "803f00c0", "9a9999999999b93f");
    }
    try (Checkpoint c = Checkpoint.open(Fixtures.BAD.resolve("good_legacy.pt"))) {
      assertThat(c.otherEntries()).containsEntry("n", new CheckpointEntry.Plain(3L));
    }
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '"',
      value = {
        "content_kwargs_channels_bomb.pt, model_channels of the network is 1000000000",
        "content_kwargs_negative.pt, model_channels of the network is -",
        "content_kwargs_unknown_model.pt, model_type of the network is",
        "content_dtype_int_weight.pt, has dtype int64",
        "content_no_ema.pt, has no network 'ema'; it has '",
        "content_list.pt, contains a list of",
        "content_ema_string.pt, entry 'ema' is '",
        "content_ema_tensor.pt, entry 'ema' is a float32 tensor",
        "content_class_unknown.pt, of class '",
        "content_version7.pt, has version 7",
        "content_type_function.pt, has the type '",
      })
  void refusedContentIsRefusedForItsOwnFault(String name, String reason) {
    Path file = Fixtures.BAD.resolve(name);
    assertThatThrownBy(() -> convert(file, folder.resolve("out.safetensors")))
        .hasMessageContaining(reason);
  }

  @Test
  void theControlOfTheContentCasesConverts() {
    convert(Fixtures.BAD.resolve("good_tiny_state.pt"), folder.resolve("out.safetensors"));
  }

  @Test
  void aForbiddenNameIsNamed() {
    assertThatThrownBy(() -> readAll(Fixtures.BAD.resolve("exec_os_system.pkl")))
        .hasMessageContaining("os.system is not allowed in a checkpoint");
    assertThatThrownBy(() -> readAll(Fixtures.BAD.resolve("exec_nested_load_from_bytes.pkl")))
        .hasMessageContaining("os.system is not allowed in a checkpoint");
  }

  @Test
  void aValidatorMayRefuseWhatTheDefinitionDoesNotHave() {
    Path target = folder.resolve("out.safetensors");
    CheckpointConverter converter =
        new CheckpointConverter(network -> {
          throw new org.relaydiffusion.RdmException("no such module");
        });
    Path source = Fixtures.BAD.resolve("content_extra_module.pt");
    assertThatThrownBy(() -> converter.convert(source, target, Which.EMA, Optional.empty()))
        .isInstanceOf(FileException.class)
        .hasMessage(source + ": no such module");
    assertThat(target).doesNotExist();
  }

  private static void assertRefused(
      Path file, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    assertThatThrownBy(call)
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(file.toString())
        .satisfies(e -> assertThat(e.getMessage()).doesNotContain("\n", "\r", "\u001b"));
  }

  private static void convert(Path source, Path target) {
    new CheckpointConverter(NetworkValidator.definition())
        .convert(source, target, Which.EMA, Optional.empty());
    assertThat(Files.exists(target)).isTrue();
  }

  /** Opens a file and touches every tensor in it. */
  private static void readAll(Path file) {
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      checkpoint.networks().values().forEach(NetworkRecord::state);
      checkpoint.tensors().values().forEach(StoredTensor::data);
    }
  }

  private static float[] floats(String file, String name) {
    try (Checkpoint c = Checkpoint.open(Fixtures.BAD.resolve(file))) {
      java.nio.FloatBuffer from =
          java.nio.ByteBuffer.wrap(Fixtures.bytes(Fixtures.get(c.tensors(), name).data()))
              .order(java.nio.ByteOrder.LITTLE_ENDIAN)
              .asFloatBuffer();
      float[] values = new float[from.remaining()];
      from.get(values);
      return values;
    }
  }
}
