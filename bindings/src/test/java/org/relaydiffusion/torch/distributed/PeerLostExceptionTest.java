// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.nativeconfig.SystemErrors;
import org.relaydiffusion.torch.TorchException;

/** Whether a peer is gone is known by the words of a message alone. */
class PeerLostExceptionTest {
  private static TorchException of(String reason) {
    return PeerLostException.orOther("all_reduce failed", reason);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Connection closed by peer [127.0.0.1]:4711",
        "NCCL error: remote process exited or there was a network error",
        "Timed out waiting 1800000ms for recv operation to complete"
      })
  void whatTheLibrariesSayIsUnderstood(String reason) {
    assertThat(of(reason)).isInstanceOf(PeerLostException.class);
  }

  /** In the language in which this test runs, which the C library chooses. */
  @Test
  @EnabledOnOs({OS.LINUX, OS.MAC})
  void whatTheSystemSaysIsUnderstoodInItsLanguage() {
    assertThat(SystemErrors.peerLost())
        .hasSize(4)
        .doesNotHaveDuplicates()
        .allSatisfy(words ->
            assertThat(of("read [127.0.0.1]:4711: " + words))
                .isInstanceOf(PeerLostException.class));
    if (Objects.requireNonNullElse(System.getenv("LC_ALL"), "").equals("C")) {
      assertThat(SystemErrors.peerLost()).contains("Connection reset by peer", "Broken pipe");
    }
  }

  @Test
  void anotherErrorIsNoLoss() {
    assertThat(of("Tensors must be contiguous")).isNotInstanceOf(PeerLostException.class);
  }
}
