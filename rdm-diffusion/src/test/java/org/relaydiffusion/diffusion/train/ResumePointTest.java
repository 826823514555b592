// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.FileException;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.TensorSources;
import org.relaydiffusion.checkpoint.TrainingState;
import org.relaydiffusion.checkpoint.TrainingStateFile;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.train.TrainingOptions.Start;
import org.relaydiffusion.torch.Generator;

/** What a state says of its run, held against itself: each fault is named by file and entry. */
class ResumePointTest {
  @TempDir private Path folder;

  @Test
  void partsThatDoNotAgreeAreRefusedByName() {
    Path state;
    try (RunDirectory directory = RunDirectory.of(folder.resolve("run"))) {
      state =
          Trainer.train(
                  TinyRun.blur(1, TinyRun.savingEvery(1, 6, true)).options(new Start.Fresh(), 3),
                  World.SINGLE,
                  directory,
                  TrainingListener.NONE,
                  new Cancellation())
              .state()
              .orElseThrow();
    }
    byte[] bytes;
    try (Generator g = Generator.seeded(1)) {
      bytes = g.state();
    }
    Object good = TensorSources.of(bytes);
    bytes[8] = 100;
    Object beyond = TensorSources.of(bytes);

    assertThat(read(state, "seed", 3L)).isPresent();
    assertRefused(state, "generators", List.of(), "rdm.generators: not a list of 1 states");
    assertRefused(
        state, "generators", List.of(good, good), "rdm.generators: not a list of 1 states");
    assertRefused(state, "generators", "text", "rdm.generators: not a list of 1 states");
    assertRefused(state, "generators", List.of(1L), "rdm.generators.0: not a uint8 tensor of 5056");
    assertRefused(
        state,
        "generators",
        List.of(TensorSources.of(new byte[16])),
        "rdm.generators.0: not a uint8 tensor of 5056");
    assertRefused(
        state, "generators", List.of(beyond), "rdm.generators.0: these 5056 bytes are no state");
    assertRefused(
        state,
        "device_generators",
        List.of(good),
        "rdm.device_generators.0: not a uint8 tensor of 16");
    assertRefused(
        state,
        "device_generators",
        Collections.nCopies(3, TensorSources.of(new byte[16])),
        "rdm.device_generators: not a list of 1 states");
    assertRefused(state, "num_processes", 2L, "rdm.generators: not a list of 2 states");
    assertRefused(state, "num_processes", 1L << 40, "rdm.num_processes: 1099511627776, expected");
    assertRefused(state, "nimg", BigInteger.TWO.pow(64), "rdm.nimg: not an integer");
    assertRefused(state, "tick_start_nimg", 1L << 40, "rdm.tick_start_nimg: 1099511627776");
    assertRefused(state, "tick", -1L, "rdm.tick: -1, expected 0 to 2147483647");
    assertRefused(state, "loss_scale", Double.NaN, "rdm.loss_scale: not a positive number");
    assertRefused(state, "loss_scale", null, "rdm.loss_scale: not a positive number");
  }

  private void assertRefused(Path state, String key, @Nullable Object value, String reason) {
    assertThatThrownBy(() -> read(state, key, value))
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(folder.resolve("changed.pt").toString())
        .hasMessageContaining("has an invalid " + reason);
  }

  /** Reads a copy of a state in which one value is another. */
  private Optional<ResumePoint> read(Path state, String key, @Nullable Object value) {
    Path changed = folder.resolve("changed.pt");
    try (Checkpoint checkpoint = Checkpoint.open(state)) {
      TrainingState good = TrainingState.of(checkpoint);
      Map<String, @Nullable Object> point = new LinkedHashMap<>();
      ((Map<?, ?>) Optional.ofNullable(good.extra().get(ResumePoint.KEY)).orElseThrow())
          .forEach((k, v) -> point.put((String) k, v));
      point.put(key, value);
      Map<String, @Nullable Object> extra = new LinkedHashMap<>(good.extra());
      extra.put(ResumePoint.KEY, point);
      TrainingStateFile.write(
          changed, new TrainingState(good.ema(), good.net(), good.optimizer(), good.step(), extra));
    }
    try (Checkpoint checkpoint = Checkpoint.open(changed)) {
      return ResumePoint.of(checkpoint);
    }
  }
}
