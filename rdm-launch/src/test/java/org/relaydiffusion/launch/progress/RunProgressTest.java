// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.progress;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;

class RunProgressTest {
  private static final long SECOND = 1_000_000_000L;

  private final StringWriter written = new StringWriter();
  private long now;
  private int columns = 80;

  private StatusLine line(StatusLine.Kind kind) {
    return new StatusLine(new PrintWriter(written, true), kind, () -> now, () -> columns);
  }

  private RunProgress progress(StatusLine.Kind kind) {
    return new RunProgress(line(kind), 4, 1, 2, () -> now);
  }

  private void step(RunProgress progress, int stage, int step, int steps, long seconds) {
    now += seconds * SECOND;
    progress.step(stage, step, steps, 2);
  }

  @Test
  void aTerminalHasOneLineThatIsWrittenOver() {
    RunProgress progress = progress(StatusLine.Kind.LIVE);

    step(progress, 1, 1, 2, 1);
    step(progress, 1, 2, 2, 1);
    progress.end();

    assertThat(written.toString())
        .isEqualTo(
            "\rstage 1 step 1/2  0/4 images\033[K\rstage 1 step 2/2  0/4 images\033[K\r\033[K");
  }

  @Test
  void theLineFitsTheTerminalAtAnyTime() {
    RunProgress progress = progress(StatusLine.Kind.LIVE);

    columns = 20;
    step(progress, 1, 1, 2, 1);
    columns = 25;
    step(progress, 1, 2, 2, 1);
    progress.end();

    assertThat(written.toString())
        .isEqualTo("\rstage 1 step 1/2...\033[K\rstage 1 step 2/2  0/4...\033[K\r\033[K");
  }

  @Test
  void aStatusCannotMoveTheCursor() {
    line(StatusLine.Kind.LIVE).show("writing a\033[2J\n\u202eb");

    assertThat(written.toString()).isEqualTo("\rwriting a\\u{1b}[2J\\u{a}\\u{202e}b\033[K");
  }

  @Test
  void theTimeLeftCountsBothStagesOfAllBatches() {
    RunProgress progress = progress(StatusLine.Kind.LIVE);

    step(progress, 1, 1, 2, 1);
    step(progress, 1, 2, 2, 1);
    step(progress, 2, 1, 3, 10);

    // Two more steps of 10 s in this batch; 2 of 1 s and 3 of 10 s in the next.
    assertThat(written.toString()).endsWith("stage 2 step 1/3  0/4 images  52s left\033[K");
  }

  @Test
  void imagesASecondAreShownOnceThereAreSome() {
    RunProgress progress = progress(StatusLine.Kind.LIVE);

    step(progress, 1, 1, 1, 1);
    step(progress, 2, 1, 1, 3);
    progress.finished(2);
    step(progress, 1, 1, 1, 1);

    assertThat(written.toString())
        .endsWith("stage 1 step 1/1  2/4 images  0.400 images/s  3.0s left\033[K");
    assertThat(progress.done()).isEqualTo(2);
    assertThat(progress.seconds()).isEqualTo(5);
  }

  @Test
  void aLogGetsALineEveryTenSeconds() {
    RunProgress progress = progress(StatusLine.Kind.PLAIN);

    for (int i = 1; i <= 25; i++) {
      step(progress, 1, i, 25, 1);
    }

    assertThat(written.toString().lines())
        .containsExactly("stage 1 step 10/25  0/4 images", "stage 1 step 20/25  0/4 images");
  }

  @Test
  void quietIsQuiet() {
    RunProgress progress = progress(StatusLine.Kind.OFF);

    step(progress, 1, 1, 1, 100);
    progress.end();

    assertThat(written.toString()).isEmpty();
  }
}
