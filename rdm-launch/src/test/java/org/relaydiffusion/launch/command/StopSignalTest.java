// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class StopSignalTest {
  @Test
  void listenersAreToldOnce() {
    StopSignal stop = new StopSignal();
    AtomicInteger told = new AtomicInteger();
    stop.onRequest(told::incrementAndGet);

    assertThat(stop.request()).contains(StopSignal.Ending.SOON);
    assertThat(stop.request()).contains(StopSignal.Ending.SOON);

    assertThat(told).hasValue(1);
    assertThat(stop.isRequested()).isTrue();
  }

  @Test
  void whoComesLateIsToldAtOnce() {
    StopSignal stop = new StopSignal();
    AtomicInteger told = new AtomicInteger();

    assertThat(stop.request()).isEmpty();
    stop.onRequest(told::incrementAndGet);

    assertThat(told).hasValue(1);
  }

  @Test
  void aRunMayTakeItsOwnTime() {
    StopSignal stop = new StopSignal();
    stop.onRequest(() -> {}, StopSignal.Ending.IN_ITS_OWN_TIME);

    assertThat(stop.request()).contains(StopSignal.Ending.IN_ITS_OWN_TIME);
  }

  @Test
  void aLaterPartOfARunEndsInItsOwnWay() {
    StopSignal stop = new StopSignal();
    AtomicInteger waiting = new AtomicInteger();
    AtomicInteger training = new AtomicInteger();
    stop.onRequest(waiting::incrementAndGet, StopSignal.Ending.AT_ONCE);

    assertThat(stop.replace(training::incrementAndGet, StopSignal.Ending.IN_ITS_OWN_TIME)).isTrue();

    assertThat(stop.request()).contains(StopSignal.Ending.IN_ITS_OWN_TIME);
    assertThat(waiting).hasValue(0);
    assertThat(training).hasValue(1);
  }

  @Test
  void aRunThatWasAskedToEndAtOnceDoesNotComeToItsNextPart() {
    StopSignal stop = new StopSignal();
    AtomicInteger training = new AtomicInteger();
    stop.onRequest(() -> {}, StopSignal.Ending.AT_ONCE);
    stop.request();

    assertThat(stop.replace(training::incrementAndGet, StopSignal.Ending.IN_ITS_OWN_TIME))
        .isFalse();

    assertThat(stop.request()).contains(StopSignal.Ending.AT_ONCE);
    assertThat(training).hasValue(0);
  }
}
