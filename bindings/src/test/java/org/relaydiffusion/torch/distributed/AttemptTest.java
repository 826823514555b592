// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.CancelledException;

/** What a call returns has one owner, also when nobody waits for it any more. */
class AttemptTest {
  private static final Duration MINUTE = Duration.ofMinutes(1);

  private final CountDownLatch closed = new CountDownLatch(1);
  private final AtomicInteger afterwards = new AtomicInteger();

  private <T> T within(Attempt.Call<T> call) {
    return Attempt.within(
        MINUTE,
        "a call",
        call,
        afterwards::incrementAndGet,
        new WaitNotices(WaitListener.NONE, () -> "waiting"));
  }

  @Test
  void aResultThatComesAfterAnInterruptIsClosed() throws InterruptedException {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    Thread waiting = Thread.currentThread();
    Thread.ofPlatform()
        .start(() -> {
          awaitUninterruptibly(begun);
          waiting.interrupt();
        });
    assertThatThrownBy(() ->
            within(() -> {
              begun.countDown();
              awaitUninterruptibly(goOn);
              return (AutoCloseable) closed::countDown;
            }))
        .isInstanceOf(CancelledException.class);
    assertThat(Thread.interrupted()).isTrue();
    assertThat(closed.getCount()).isEqualTo(1);
    goOn.countDown();
    assertThat(closed.await(1, TimeUnit.MINUTES)).isTrue();
  }

  @Test
  void whatComesAfterwardsIsDoneAlsoWhereTheCallIsNeverMade() throws InterruptedException {
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> within(() -> true)).isInstanceOf(CancelledException.class);
    assertThat(Thread.interrupted()).isTrue();
    while (afterwards.get() == 0) {
      Thread.sleep(1);
    }
    assertThat(afterwards).hasValue(1);
  }

  /** The thread is interrupted as soon as the result is there, however the two meet. */
  @Test
  void aResultIsReturnedOrClosedAndNeverLost() throws InterruptedException {
    int returned = 0;
    AtomicInteger open = new AtomicInteger();
    for (int i = 0; i < 300; i++) {
      Thread waiting = Thread.currentThread();
      try {
        AutoCloseable result =
            within(() -> {
              open.incrementAndGet();
              waiting.interrupt();
              return (AutoCloseable) open::decrementAndGet;
            });
        returned++;
        open.decrementAndGet();
        assertThat(result).isNotNull();
      } catch (CancelledException _) {
        // Then it is closed by whoever made it.
      }
      Thread.interrupted();
    }
    while (afterwards.get() < 300) {
      Thread.sleep(1);
    }
    assertThat(open).as("open results, %s of 300 were returned", returned).hasValue(0);
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    boolean done = false;
    while (!done) {
      try {
        done = latch.await(1, TimeUnit.MINUTES);
      } catch (InterruptedException _) {
        // As native code.
      }
    }
  }
}
