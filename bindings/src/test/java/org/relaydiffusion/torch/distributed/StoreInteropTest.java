// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.relaydiffusion.torch.cpp.NativeTcpStore;

/** Our client with LibTorch's servers, and LibTorch's client with our server. */
@EnabledOnOs(OS.LINUX)
class StoreInteropTest {
  private static final Duration LONG = Duration.ofSeconds(30);

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  @ParameterizedTest
  @EnumSource(NativeTcpStore.Kind.class)
  void ourClientJoinsTheirServer(NativeTcpStore.Kind kind) {
    try (NativeTcpStore server = NativeTcpStore.server(kind);
        TcpStore client = TcpStore.connect("127.0.0.1", server.port(), LONG, WaitListener.NONE);
        Store view = client.withPrefix("ranks/attempt_0")) {
      client.set("ours", bytes("from Java"));
      assertThat(server.get("ours")).isEqualTo(bytes("from Java"));
      server.set("theirs", bytes("from C++"));
      assertThat(client.get("theirs")).isEqualTo(bytes("from C++"));
      view.set("key", new byte[0]);
      assertThat(server.has("ranks/attempt_0/key")).isTrue();
      assertThat(client.has("absent")).isFalse();
      assertThat(client.add("count", 3)).isEqualTo(3);
      assertThat(server.add("count", 4)).isEqualTo(7);
      assertThat(client.compareSet("first", new byte[0], bytes("a"))).isEqualTo(bytes("a"));
      assertThat(client.compareSet("first", new byte[0], bytes("b"))).isEqualTo(bytes("a"));
      assertThat(server.get("first")).isEqualTo(bytes("a"));
      byte[] large = new byte[1 << 20];
      large[5] = 6;
      client.set("large", large);
      assertThat(server.get("large")).isEqualTo(large);
      assertThat(client.get("large")).isEqualTo(large);
      CompletableFuture<byte[]> late = CompletableFuture.supplyAsync(() -> client.get("late"));
      // A thread that waits holds up no other.
      client.set("other", bytes("x"));
      server.set("late", bytes("come"));
      assertThat(late.join()).isEqualTo(bytes("come"));
      assertThatThrownBy(() -> client.await(Duration.ofMillis(100), "never"))
          .isInstanceOf(PeerLostException.class)
          .hasMessageContaining("timed out after 100ms, keys without a value: never");
      assertThat(client.get("ours")).isEqualTo(bytes("from Java"));
    }
  }

  @Test
  void theirClientJoinsOurServer() {
    try (TcpStore server = TcpStore.serve(0, LONG);
        NativeTcpStore client = NativeTcpStore.client(server.port());
        NativeTcpStore second = NativeTcpStore.client(server.port())) {
      client.set("theirs", bytes("from C++"));
      assertThat(server.get("theirs")).isEqualTo(bytes("from C++"));
      server.set("ours", bytes("from Java"));
      assertThat(client.get("ours")).isEqualTo(bytes("from Java"));
      assertThat(client.add("count", 2)).isEqualTo(2);
      assertThat(server.add("count", 2)).isEqualTo(4);
      assertThat(client.has("ours", "theirs")).isTrue();
      assertThat(client.has("ours", "absent")).isFalse();
      assertThat(client.compareSet("first", new byte[0], bytes("a"))).isEqualTo(bytes("a"));
      assertThat(client.compareSet("first", bytes("z"), bytes("b"))).isEqualTo(bytes("a"));
      client.append("ours", bytes(", and C++"));
      assertThat(server.get("ours")).isEqualTo(bytes("from Java, and C++"));
      assertThat(client.delete("first")).isTrue();
      assertThat(client.delete("first")).isFalse();
      // Ours counts who has come under a key of its own.
      assertThat(client.size()).isEqualTo(4);
      // Their wait that times out is cancelled, and the connection goes on.
      assertThatThrownBy(() -> client.await(Duration.ofMillis(100), "never"))
          .hasMessageContaining("wait timeout after 100ms");
      CompletableFuture<byte[]> late = CompletableFuture.supplyAsync(() -> second.get("late"));
      client.set("late", bytes("come"));
      assertThat(late.join()).isEqualTo(bytes("come"));
      assertThat(client.get("theirs")).isEqualTo(bytes("from C++"));
    }
  }
}
