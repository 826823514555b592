// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.distributed;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** What one process sees of a store, and what strangers can do to it. */
@EnabledOnOs(OS.LINUX)
class StoreTest {
  private static final Duration LONG = Duration.ofSeconds(30);
  private static final byte[] NOTHING = {};

  @TempDir private Path folder;

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  @Test
  void theFirstToCompareAndSetWins() {
    try (TcpStore tcp = TcpStore.serve(0, LONG);
        FileStore file = new FileStore(folder.resolve("store"), 1)) {
      for (Store store : new Store[] {tcp, file}) {
        assertThat(store.has("key")).isFalse();
        assertThat(store.compareSet("key", NOTHING, bytes("first"))).isEqualTo(bytes("first"));
        assertThat(store.has("key")).isTrue();
        assertThat(store.compareSet("key", NOTHING, bytes("second"))).isEqualTo(bytes("first"));
        assertThat(store.compareSet("key", bytes("first"), NOTHING)).isEmpty();
        assertThat(store.compareSet("key", NOTHING, bytes("third"))).isEqualTo(bytes("third"));
        assertThat(store.get("key")).isEqualTo(bytes("third"));
      }
    }
  }

  @Test
  void aViewHasKeysOfItsOwnAndOutlivesTheStore() {
    TcpStore server = TcpStore.serve(0, LONG);
    TcpStore client = TcpStore.connect("127.0.0.1", server.port(), LONG, WaitListener.NONE);
    try (server;
        Store view = client.withPrefix("first");
        Store other = server.withPrefix("second")) {
      client.close();
      view.set("key", bytes("value"));

      assertThat(view.toString()).isEqualTo(client.toString());
      assertThat(other.has("key")).isFalse();
      assertThat(server.has("key")).isFalse();
      assertThat(server.has("first/key")).isTrue();
      assertThat(view.add("count", 2)).isEqualTo(2);
    }
  }

  @Test
  void aFileOfThisMachineMakesGroupsListenAtLoopback() {
    Path path = folder.resolve("store");
    try (FileStore store = FileStore.ofThisMachine(path, 1, LONG, WaitListener.NONE);
        Store view = store.withPrefix("attempt")) {
      assertThat(LocalAddress.of(store).names()).containsExactly("127.0.0.1");
      assertThat(LocalAddress.of(view).names()).containsExactly("127.0.0.1");
    }
    try (FileStore store = new FileStore(folder.resolve("shared"), 1)) {
      assertThat(LocalAddress.of(store).names()).isEmpty();
    }
  }

  /** The sockets of this process that listen, by the kernel's own account. */
  private static List<String> listening() throws IOException {
    Set<String> own = new HashSet<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(Path.of("/proc/self/fd"))) {
      for (Path file : files) {
        try {
          own.add(Files.readSymbolicLink(file).toString());
        } catch (IOException e) {
          // Closed in the meantime.
        }
      }
    }
    List<String> addresses = new ArrayList<>();
    for (String family : List.of("tcp", "tcp6")) {
      Path table = Path.of("/proc/self/net", family);
      for (String line : Files.exists(table) ? Files.readAllLines(table) : List.<String>of()) {
        String[] fields = line.strip().split("\\s+", -1);
        boolean listens = fields.length > 9 && fields[3].equals("0A");
        if (listens && own.contains("socket:[%s]".formatted(fields[9]))) {
          addresses.add(fields[1]);
        }
      }
    }
    return addresses;
  }

  /** A port is what strangers can reach. */
  @Test
  void aGroupThatMeetsInAFileListensAtLoopbackOnly() throws Exception {
    List<String> before = listening();
    Path path = folder.resolve("store");
    try (FileStore store = FileStore.ofThisMachine(path, 1, LONG, WaitListener.NONE);
        ProcessGroup group = ProcessGroup.gloo(store, 0, 1, LONG)) {
      group.barrier();
      List<String> added = listening();
      added.removeAll(before);
      // 127.0.0.1, as the kernel writes it.
      assertThat(added).isNotEmpty().allMatch(address -> address.startsWith("0100007F:"));
    }
    // A server listens everywhere, as LibTorch's does, which is why there is none on one node.
    try (TcpStore server = TcpStore.serve(0, LONG)) {
      List<String> added = listening();
      added.removeAll(before);
      assertThat(added).anyMatch(address -> address.matches("0+:[0-9A-F]{4}"));
      assertThat(server.port()).isPositive();
    }
  }

  @Test
  void strangersWhoSayNothingOrNonsenseHoldUpNobody() throws Exception {
    try (TcpStore server = TcpStore.serve(0, LONG);
        Socket silent = new Socket(InetAddress.getLoopbackAddress(), server.port());
        Socket slow = new Socket(InetAddress.getLoopbackAddress(), server.port());
        Socket web = new Socket(InetAddress.getLoopbackAddress(), server.port());
        Socket noise = new Socket(InetAddress.getLoopbackAddress(), server.port());
        Socket huge = new Socket(InetAddress.getLoopbackAddress(), server.port())) {
      slow.getOutputStream().write(greeting(), 0, 3);
      web.getOutputStream().write(bytes("GET / HTTP/1.1\r\n\r\n"));
      byte[] random = new byte[1 << 16];
      new Random(1).nextBytes(random);
      noise.getOutputStream().write(random);
      // A right greeting, then a key of 2^60 bytes.
      DataOutputStream out = new DataOutputStream(huge.getOutputStream());
      out.write(greeting());
      out.write(
          ByteBuffer.allocate(9)
              .order(ByteOrder.LITTLE_ENDIAN)
              .put((byte) 1)
              .putLong(1L << 60)
              .array());

      try (TcpStore client =
          TcpStore.connect("127.0.0.1", server.port(), LONG, WaitListener.NONE)) {
        client.set("key", bytes("value"));
        assertThat(server.get("key")).isEqualTo(bytes("value"));
        assertThat(client.add("count", 1)).isEqualTo(1);
      }
      assertThat(silent.isConnected()).isTrue();
    }
  }

  /** What a client of LibTorch 2.10 says first: VALIDATE and a magic number. */
  private static byte[] greeting() {
    return ByteBuffer.allocate(5)
        .order(ByteOrder.LITTLE_ENDIAN)
        .put((byte) 0)
        .putInt(0x3C85F7CE)
        .array();
  }
}
