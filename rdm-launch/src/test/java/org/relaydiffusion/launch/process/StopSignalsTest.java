// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import sun.misc.Signal;

class StopSignalsTest {
  private static final StopSignals.Received INT = new StopSignals.Received("SIGINT", 130);

  private long now;

  @Test
  void aSignalThatArrivesTwiceAtOnceIsOneWish() {
    List<String> heard = new ArrayList<>();
    StopSignals signals =
        new StopSignals(s -> heard.add("first"), s -> heard.add("again"), () -> now);

    signals.receive(INT);
    now = 999_999_999L;
    signals.receive(INT);
    assertThat(heard).containsExactly("first");
    now = 1_000_000_000L;
    signals.receive(INT);
    signals.receive(INT);
    assertThat(heard).containsExactly("first", "again", "again");
  }

  @Test
  @DisabledOnOs(value = OS.WINDOWS, disabledReason = "has no such signals")
  void theProcessesOwnSignalsAreHeardInsteadOfEndingIt() throws InterruptedException {
    BlockingQueue<StopSignals.Received> heard = new LinkedBlockingQueue<>();
    try (StopSignals _ = StopSignals.take(heard::add, heard::add)) {
      // The others may be ignored from the start: by nohup, or in a shell's background.
      Signal.raise(new Signal("TERM"));
      assertThat(heard.poll(10, TimeUnit.SECONDS))
          .isEqualTo(new StopSignals.Received("SIGTERM", 143));
    }
  }
}
