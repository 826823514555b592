// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.OptionException;

/** Guards of the CPU, and what is refused without a GPU. */
class DeviceGuardTest {
  @Test
  void theCpuNeedsNoGuardAndMayHaveOneOnAnyThread() throws InterruptedException {
    DeviceGuard guard = DeviceGuard.on(Device.CPU);
    guard.close();
    guard.close();
    Thread.ofVirtual().start(() -> DeviceGuard.on(Device.CPU).close()).join();
  }

  @Test
  void anotherThreadsGuardIsNotClosed() {
    try (DeviceGuard guard = DeviceGuard.on(Device.CPU)) {
      assertThatThrownBy(() -> CompletableFuture.runAsync(guard::close).join())
          .isInstanceOf(CompletionException.class)
          .hasCauseInstanceOf(TorchException.class)
          .hasMessageContaining("this device guard belongs to thread");
    }
  }

  @Test
  void aDeviceThatIsNotThereIsRefusedWithTheReason() {
    assertThatThrownBy(() -> DeviceGuard.on(Device.cuda(97)))
        .isInstanceOf(OptionException.class)
        .hasMessageStartingWith("device cuda:97 cannot be used: ");
  }
}
