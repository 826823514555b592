// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.relaydiffusion.CancelledException;

/** Whoever waits at a store says so, and stops when its thread is interrupted. */
@EnabledOnOs(OS.LINUX)
class StoreWaitingTest {
  private static final Duration LONG = Duration.ofMinutes(10);
  private static final int MOST_SECONDS = 20;

  private final BlockingQueue<String> told = new LinkedBlockingQueue<>();

  @Test
  void aServerSaysHowManyAreMissingAndCanBeInterrupted() throws Exception {
    int port = Peers.freePort();
    assertWaitsUntilInterrupted(
        () -> new TcpStore("127.0.0.1", port, 3, TcpStore.Role.SERVER, LONG, told::add),
        "waiting for 2 of 3 processes at 127.0.0.1:" + port);
  }

  @Test
  void aClientSaysWhichServerIsMissingAndCanBeInterrupted() throws Exception {
    int port = Peers.freePort();
    assertWaitsUntilInterrupted(
        () -> new TcpStore("127.0.0.1", port, 2, TcpStore.Role.CLIENT, LONG, told::add),
        "waiting for the server at 127.0.0.1:" + port);
  }

  @Test
  void aClientWhoseServerHasNoKnownNameSaysSoAndCanBeInterrupted() throws Exception {
    assertWaitsUntilInterrupted(
        () -> new TcpStore("no-such-host.invalid", 29500, 2, TcpStore.Role.CLIENT, LONG, told::add),
        "waiting for the server at no-such-host.invalid:29500: the host name is not known");
  }

  @Test
  void aWaitForAKeyIsToldAndCanBeInterrupted() throws Exception {
    try (TcpStore store = new TcpStore("127.0.0.1", 0, 1, TcpStore.Role.SERVER, LONG, told::add)) {
      assertWaitsUntilInterrupted(() -> store.get("late"), store + ": get late");
    }
  }

  private void assertWaitsUntilInterrupted(Runnable work, String line) throws Exception {
    CompletableFuture<Boolean> stillInterrupted = new CompletableFuture<>();
    Thread thread =
        Thread.ofPlatform()
            .daemon()
            .start(() -> {
              try {
                work.run();
                stillInterrupted.completeExceptionally(new AssertionError("it did not wait"));
              } catch (CancelledException e) {
                stillInterrupted.complete(Thread.currentThread().isInterrupted());
              } catch (RuntimeException e) {
                stillInterrupted.completeExceptionally(e);
              }
            });
    assertThat(told.poll(MOST_SECONDS, TimeUnit.SECONDS)).isEqualTo(line);
    thread.interrupt();
    assertThat(stillInterrupted.get(MOST_SECONDS, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aThreadThatIsInterruptedAlreadyDoesNotWait() {
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> new TcpStore("127.0.0.1", 0, 2, TcpStore.Role.SERVER, LONG))
        .isInstanceOf(CancelledException.class)
        .hasMessageEndingWith("was interrupted");
    assertThat(Thread.interrupted()).isTrue();
  }

  @Test
  void noticesBecomeRare() {
    List<Integer> at = new ArrayList<>();
    int[] now = {0};
    WaitNotices notices = new WaitNotices(_ -> at.add(now[0]), () -> "waiting", 0);
    for (; now[0] < 1800; now[0]++) {
      notices.tellIfDue(TimeUnit.SECONDS.toNanos(now[0]));
    }
    assertThat(at).containsExactly(5, 20, 80, 320, 1280);
  }
}
