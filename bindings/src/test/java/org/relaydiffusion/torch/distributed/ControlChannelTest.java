// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.DataOutputStream;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import java.net.SocketException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.cpp.CppGroup.Addresses;
import org.relaydiffusion.torch.cpp.CppGroup.Addresses.Kind;

/** Three processes of a group, here as threads: what they tell each other, and when one is gone. */
class ControlChannelTest {
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final int SIZE = 3;

  @TempDir private Path folder;

  private Store store() {
    return FileStore.ofThisMachine(folder.resolve("store"), SIZE, LONG, WaitListener.NONE);
  }

  private List<ControlChannel> open() {
    List<CompletableFuture<ControlChannel>> opening =
        IntStream.range(0, SIZE)
            .mapToObj(rank ->
                async(() -> {
                  try (Store store = store()) {
                    return ControlChannel.open(store, "group", rank, SIZE, LONG);
                  }
                }))
            .toList();
    return opening.stream().map(CompletableFuture::join).toList();
  }

  private interface Work<T> {
    T run() throws BackendException;
  }

  private static <T> CompletableFuture<T> async(Work<T> work) {
    CompletableFuture<T> result = new CompletableFuture<>();
    Thread.ofPlatform()
        .daemon()
        .start(() -> {
          try {
            result.complete(work.run());
          } catch (BackendException | RuntimeException e) {
            result.completeExceptionally(e);
          }
        });
    return result;
  }

  private static CompletableFuture<List<String>> gather(
      ControlChannel channel, String own, Duration limit) {
    return async(() ->
        channel.gather(own.getBytes(UTF_8), limit).stream()
            .map(b -> new String(b, UTF_8))
            .toList());
  }

  @Test
  void everybodyGetsWhatAllBring() {
    List<ControlChannel> channels = open();
    for (int round = 0; round < 100; round++) {
      List<CompletableFuture<List<String>>> all = new ArrayList<>();
      for (int rank = 0; rank < SIZE; rank++) {
        all.add(gather(channels.get(rank), "%s of %s".formatted(rank, round), LONG));
      }
      List<String> expected = List.of("0 of " + round, "1 of " + round, "2 of " + round);
      all.forEach(each -> assertThat(each.join()).isEqualTo(expected));
    }
    channels.forEach(ControlChannel::close);
    channels.forEach(c -> assertThat(c.lost()).isEmpty());
  }

  @Test
  void oneThatBreaksTellsAllOthers() {
    List<ControlChannel> channels = open();
    CompletableFuture<List<String>> waiting = gather(channels.get(1), "here", LONG);
    channels.get(2).fail("rank 2 has no memory left");
    for (ControlChannel channel : channels) {
      CompletableFuture<Boolean> told = new CompletableFuture<>();
      channel.onLoss(() -> told.complete(true));
      assertThat(told.join()).isTrue();
      assertThat(channel.lost()).contains("rank 2 has no memory left");
    }
    assertThatThrownBy(waiting::join).hasMessageContaining("rank 2 has no memory left");
    channels.forEach(ControlChannel::close);
  }

  @Test
  void oneThatLeavesIsNoLossUntilItIsNeeded() throws Exception {
    List<ControlChannel> channels = open();
    assertThat(channels.get(0).left(Duration.ZERO)).isEmpty();
    channels.get(1).close();
    while (channels.get(0).left(Duration.ZERO).isEmpty()) {
      Thread.sleep(5);
    }
    assertThat(channels.get(0).left(Duration.ZERO)).contains("rank 1 has left");
    assertThat(channels.get(0).left(LONG)).isEmpty();
    assertThat(channels.get(0).lost()).isEmpty();
    CompletableFuture<List<String>> waiting = gather(channels.get(2), "here", LONG);
    assertThatThrownBy(gather(channels.get(0), "here", LONG)::join)
        .hasMessageContaining("rank 1 has left");
    // Those that wait for rank 0 learn why it does not answer.
    assertThatThrownBy(waiting::join).hasMessageContaining("rank 1 has left");
    channels.forEach(ControlChannel::close);
  }

  @Test
  void rankZeroThatLeavesIsMissed() {
    List<ControlChannel> channels = open();
    channels.get(0).close();
    assertThatThrownBy(gather(channels.get(2), "here", LONG)::join)
        .hasMessageContaining("rank 0 has left");
    channels.forEach(ControlChannel::close);
  }

  @Test
  void oneThatTakesNothingIsNoticed() throws Exception {
    CompletableFuture<ControlChannel> opening =
        async(() -> {
          try (Store store = store()) {
            return ControlChannel.open(store, "group", 0, 2, LONG);
          }
        });
    try (Store store = store()) {
      String[] place = new String(store.get("group/channel"), UTF_8).split(" ", -1);
      try (Socket deaf = new Socket(InetAddress.getByName(place[0]), Integer.parseInt(place[1]))) {
        DataOutputStream out = new DataOutputStream(deaf.getOutputStream());
        out.write(HexFormat.of().parseHex(place[2]));
        out.writeInt(1);
        // A message without content.
        out.writeByte(1);
        out.writeInt(0);
        ControlChannel channel = opening.join();
        assertThat(channel.stuck(Duration.ZERO)).isEmpty();
        CompletableFuture<List<byte[]>> sending =
            async(() -> channel.gather(new byte[64 << 20], LONG));
        Optional<String> stuck = Optional.empty();
        while (stuck.isEmpty()) {
          Thread.sleep(5);
          stuck = channel.stuck(Duration.ofMillis(200));
        }
        assertThat(stuck)
            .contains("timed out after 200 ms: rank 1 does not take what is sent to it");
        assertThat(sending).isNotDone();
        channel.fail(stuck.get());
        assertThatThrownBy(sending::join).hasMessageContaining("rank 1 does not take");
        channel.close();
      }
    }
  }

  @Test
  void oneThatDoesNotComeIsNamed() {
    List<ControlChannel> channels = open();
    assertThatThrownBy(gather(channels.get(0), "here", Duration.ofMillis(300))::join)
        .hasMessageContaining("timed out after 300 ms: rank 1 did not come");
    CompletableFuture<Boolean> told = new CompletableFuture<>();
    channels.get(2).onLoss(() -> told.complete(true));
    assertThat(told.join()).isTrue();
    channels.forEach(ControlChannel::close);
  }

  @Test
  void aStrangerWhoSpeaksSlowlyHoldsUpNobodyForLong() throws Exception {
    CompletableFuture<ControlChannel> first =
        async(() -> {
          try (Store store = store()) {
            return ControlChannel.open(store, "group", 0, 2, LONG);
          }
        });
    try (Store store = store()) {
      String[] place = new String(store.get("group/channel"), UTF_8).split(" ", -1);
      try (Socket stranger =
          new Socket(InetAddress.getByName(place[0]), Integer.parseInt(place[1]))) {
        int said = 0;
        try {
          // Each byte comes in time for itself; all of them would take 76 s.
          while (said < 19) {
            stranger.getOutputStream().write(0);
            said++;
            Thread.sleep(4000);
          }
        } catch (SocketException e) {
          // It was sent away.
        }
        assertThat(said).isLessThan(5);
      }
      try (ControlChannel _ = ControlChannel.open(store, "group", 1, 2, LONG)) {
        first.join().close();
      }
    }
  }

  @Test
  void somethingElseInTheStoreIsNamed() {
    try (Store store = store()) {
      for (String other : List.of("nothing", "127.0.0.1 port 00", "127.0.0.1 80 xyz")) {
        store.set("group/channel", other.getBytes(UTF_8));
        assertThatThrownBy(() -> ControlChannel.open(store, "group", 1, 2, LONG))
            .isInstanceOf(TorchException.class)
            .hasMessageContaining("rank 0 left no address");
      }
    }
  }

  @Test
  void anInterfaceIsAnAddress() throws Exception {
    NetworkInterface loopback = NetworkInterface.getByInetAddress(InetAddress.getLoopbackAddress());
    assertThat(
            LocalAddress.one(new Addresses(Kind.INTERFACE, List.of(loopback.getName())))
                .isLoopbackAddress())
        .isTrue();
    assertThatThrownBy(() -> LocalAddress.one(new Addresses(Kind.INTERFACE, List.of("none9"))))
        .hasMessage(
            "GLOO_SOCKET_IFNAME names none9, which is no network interface with an address");
    assertThat(LocalAddress.one(new Addresses(Kind.HOST, List.of()))).isNotNull();
  }

  @Test
  void strangersAreNotLetIn() throws Exception {
    CompletableFuture<ControlChannel> first =
        async(() -> {
          try (Store store = store()) {
            return ControlChannel.open(store, "group", 0, 2, LONG);
          }
        });
    try (Store store = store()) {
      String[] place = new String(store.get("group/channel"), UTF_8).split(" ", -1);
      try (Socket stranger =
          new Socket(InetAddress.getByName(place[0]), Integer.parseInt(place[1]))) {
        stranger.getOutputStream().write(new byte[20]);
        assertThat(stranger.getInputStream().read()).isEqualTo(-1);
      }
      try (ControlChannel second = ControlChannel.open(store, "group", 1, 2, LONG)) {
        CompletableFuture<List<String>> theirs = gather(first.join(), "a", LONG);
        assertThat(gather(second, "b", LONG).join()).containsExactly("a", "b");
        assertThat(theirs.join()).containsExactly("a", "b");
      }
      first.join().close();
    }
  }
}
