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
}
