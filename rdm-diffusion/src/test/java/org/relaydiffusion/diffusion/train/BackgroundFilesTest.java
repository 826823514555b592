// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.relaydiffusion.RdmException;

class BackgroundFilesTest {
  @Test
  @Timeout(60)
  void aSnapshotDoesNotWaitForTheStateOfItsTick() {
    CountDownLatch training = new CountDownLatch(1);
    List<String> written = new ArrayList<>();
    try (BackgroundFiles files = new BackgroundFiles(TrainingListener.NONE)) {
      files.write(
          () -> {
            await(training);
            written.add("snapshot");
          },
          () -> {});
      files.write(() -> written.add("state"), () -> {});
      // Training goes on here although nothing is written yet; else this test would not end.
      training.countDown();
      files.write(() -> written.add("next"), () -> {});
      files.drain();
      assertThat(written).containsExactly("snapshot", "state", "next");
    }
  }

  @Test
  void aFileThatCannotBeWrittenIsAWarningAndTheNextIsWritten() {
    List<String> warnings = new ArrayList<>();
    List<String> written = new ArrayList<>();
    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void warning(String line) {
            warnings.add(line);
          }
        };
    try (BackgroundFiles files = new BackgroundFiles(listener)) {
      files.write(
          () -> {
            throw new RdmException("disk full");
          },
          () -> {});
      files.write(() -> written.add("state"), () -> {});
    }

    assertThat(warnings).containsExactly("disk full");
    assertThat(written).containsExactly("state");
  }

  @Test
  void anErrorIsToldWhenAllFilesHaveEnded() {
    List<String> written = new ArrayList<>();
    BackgroundFiles files = new BackgroundFiles(TrainingListener.NONE);
    files.write(
        () -> {
          throw new IllegalStateException("a bug");
        },
        () -> {});
    files.write(() -> written.add("state"), () -> {});

    assertThatThrownBy(files::close).hasRootCauseMessage("a bug");
    // Nobody else may have the folder before.
    assertThat(written).containsExactly("state");
  }

  @Test
  void whatCannotBeHandedOverIsFreed() {
    List<String> freed = new ArrayList<>();
    try (BackgroundFiles files = new BackgroundFiles(TrainingListener.NONE)) {
      files.write(
          () -> {
            throw new IllegalStateException("a bug");
          },
          () -> {});
      files.write(() -> {}, () -> {});

      assertThatThrownBy(() -> files.write(() -> freed.add("written"), () -> freed.add("freed")))
          .hasRootCauseMessage("a bug");
    }
    assertThat(freed).containsExactly("freed");
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
