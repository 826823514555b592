// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.checkpoint.archive.RawPickle;

/**
 * What is written holds, value by value, what the official code wrote: fixtures checkpoints/* and
 * training/blur_accum2_cond.
 */
class OfficialFormTest {
  /**
   * What PyTorch 1.13 did not have yet; the files written here are of PyTorch 2's form, in which
   * moreover a module's dictionaries are plain ones, and Adam's betas a tuple.
   */
  private static final List<String> NEWER_HOOKS =
      List.of(
          "_backward_pre_hooks",
          "_forward_hooks_with_kwargs",
          "_forward_hooks_always_called",
          "_forward_pre_hooks_with_kwargs",
          "_state_dict_pre_hooks");

  @TempDir Path folder;

  static Stream<Path> trainingStates() throws IOException {
    try (Stream<Path> files = Files.walk(Fixtures.ROOT)) {
      List<Path> found =
          files
              .filter(f -> f.getFileName().toString().matches("training-state-\\d+\\.pt"))
              .filter(f -> !f.startsWith(Fixtures.BAD))
              .sorted()
              .toList();
      assertThat(found).hasSize(5);
      return found.stream();
    }
  }

  @ParameterizedTest
  @MethodSource("trainingStates")
  void aTrainingStateIsWrittenAsTheOfficialCodeWroteIt(Path file) throws IOException {
    Path copy = folder.resolve("copy.pt");
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      TrainingStateFile.write(copy, TrainingState.of(checkpoint));
    }
    assertSameForm(file, copy);
  }

  static void assertSameForm(Path official, Path ours) throws IOException {
    boolean old = official.toString().contains("torch1_13");
    List<String> wanted = lines(official, old);
    List<String> written = lines(ours, old);
    for (int i = 0; i < Math.min(wanted.size(), written.size()); i++) {
      assertThat(written.get(i)).isEqualTo(wanted.get(i));
    }
    assertThat(written).hasSameSizeAs(wanted);
  }

  private static List<String> lines(Path file, boolean old) throws IOException {
    Stream<String> lines = RawPickle.lines(file).stream();
    if (old) {
      lines =
          lines
              .filter(line -> NEWER_HOOKS.stream().noneMatch(line::contains))
              .map(line ->
                  line.replaceFirst("/(_parameters|_buffers|_modules) = OrderedDict$", "/$1 = dict")
                      .replaceFirst("/betas = list", "/betas = tuple"));
    }
    return lines.toList();
  }
}
