package org.relaydiffusion.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class StopSignalTest {
  @Test
  void listenersAreToldOnce() {
    StopSignal stop = new StopSignal();
    AtomicInteger told = new AtomicInteger();
    stop.onRequest(told::incrementAndGet);

    assertThat(stop.request()).isTrue();
    assertThat(stop.request()).isTrue();

    assertThat(told).hasValue(1);
    assertThat(stop.isRequested()).isTrue();
  }

  @Test
  void whoComesLateIsToldAtOnce() {
    StopSignal stop = new StopSignal();
    AtomicInteger told = new AtomicInteger();

    assertThat(stop.request()).isFalse();
    stop.onRequest(told::incrementAndGet);

    assertThat(told).hasValue(1);
  }
}
