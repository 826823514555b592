// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.c10d;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * The server, byte by byte: c10d's numbers and answers, and what those cannot do who say others.
 */
class TcpServerTest {
  private static final byte SET = 1;
  private static final byte COMPARE_SET = 2;
  private static final byte GET = 3;
  private static final byte ADD = 4;
  private static final byte CHECK = 5;
  private static final byte WAIT = 6;
  private static final byte GETNUMKEYS = 7;
  private static final byte DELETE_KEY = 8;
  private static final byte APPEND = 9;
  private static final byte MULTI_GET = 10;
  private static final byte MULTI_SET = 11;
  private static final byte CANCEL_WAIT = 12;
  private static final byte PING = 13;
  private static final byte QUEUE_PUSH = 14;
  private static final byte QUEUE_POP = 15;
  private static final byte QUEUE_LEN = 16;
  private static final byte LIST_KEYS = 17;
  private static final byte BARRIER = 18;

  private TcpServer server;

  @BeforeEach
  void start() throws Exception {
    server = TcpServer.start(0);
  }

  @AfterEach
  void end() {
    server.close();
  }

  private RawClient client() throws Exception {
    return RawClient.valid(server.port());
  }

  @Test
  void everyQueryHasItsNumberAndAnswer() throws Exception {
    try (RawClient c = client()) {
      assertThat(c.say(PING, 42).readInt()).isEqualTo(42);
      c.say(SET, "a", "one");
      assertThat(c.say(GET, "a").readText()).isEqualTo("one");
      assertThat(c.say(GET, "none").readText()).isEmpty();
      assertThat(c.say(COMPARE_SET, "b", "", "first").readText()).isEqualTo("first");
      assertThat(c.say(COMPARE_SET, "b", "", "second").readText()).isEqualTo("first");
      assertThat(c.say(COMPARE_SET, "b", "first", "third").readText()).isEqualTo("third");
      assertThat(c.say(COMPARE_SET, "absent", "x", "y").readText()).isEqualTo("x");
      assertThat(c.say(ADD, "n", 5L).readLong()).isEqualTo(5);
      assertThat(c.say(ADD, "n", -7L).readLong()).isEqualTo(-2);
      assertThat(c.say(GET, "n").readText()).isEqualTo("-2");
      assertThat(c.say(CHECK, 2L, "a", "b").readByte()).isZero();
      assertThat(c.say(CHECK, 2L, "a", "absent").readByte()).isEqualTo((byte) 1);
      assertThat(c.say(CHECK, 0L).readByte()).isZero();
      assertThat(c.say(GETNUMKEYS).readLong()).isEqualTo(3);
      c.say(APPEND, "a", " and two");
      assertThat(c.say(MULTI_GET, 2L, "a", "b").readText()).isEqualTo("one and two");
      assertThat(c.readText()).isEqualTo("third");
      c.say(MULTI_SET, 2L, "c", "3", "d", "4");
      assertThat(c.say(LIST_KEYS).readLong()).isEqualTo(5);
      for (String key : new String[] {"a", "b", "c", "d", "n"}) {
        assertThat(c.readText()).isEqualTo(key);
      }
      assertThat(c.say(DELETE_KEY, "c").readLong()).isEqualTo(1);
      assertThat(c.say(DELETE_KEY, "c").readLong()).isZero();
      c.say(QUEUE_PUSH, "q", "x").say(QUEUE_PUSH, "q", "y");
      assertThat(c.say(QUEUE_LEN, "q").readLong()).isEqualTo(2);
      assertThat(c.say(QUEUE_POP, "q").readLong()).isEqualTo(2);
      assertThat(c.readText()).isEqualTo("x");
      assertThat(c.say(QUEUE_POP, "q").readLong()).isEqualTo(1);
      assertThat(c.readText()).isEqualTo("y");
      assertThat(c.say(QUEUE_POP, "q").readLong()).isZero();
      assertThat(c.say(WAIT, 1L, "a").readByte()).isZero();
      assertThat(c.say(CANCEL_WAIT).readByte()).isEqualTo((byte) 1);
    }
  }

  @Test
  void whoWaitsIsToldWhenAllKeysAreThere() throws Exception {
    try (RawClient waiting = client();
        RawClient queued = client();
        RawClient other = client()) {
      waiting.say(WAIT, 3L, "a", "b", "b");
      queued.say(WAIT, 1L, "q");
      assertThat(queued.say(CANCEL_WAIT).readByte()).isEqualTo((byte) 1);
      queued.say(WAIT, 1L, "q");
      other.say(SET, "a", "1");
      assertThat(other.say(PING, 1).readInt()).isEqualTo(1);
      assertThat(waiting.hasAnswer()).isFalse();
      assertThat(other.say(ADD, "b", 1L).readLong()).isEqualTo(1);
      assertThat(waiting.readByte()).isZero();
      other.say(QUEUE_PUSH, "q", "element");
      assertThat(queued.readByte()).isZero();
      // What is over is not told again.
      other.say(SET, "a", "2").say(SET, "q", "2");
      assertThat(other.say(PING, 2).readInt()).isEqualTo(2);
      assertThat(waiting.say(PING, 3).readInt()).isEqualTo(3);
      assertThat(queued.say(PING, 4).readInt()).isEqualTo(4);
    }
  }

  @Test
  void aBarrierEndsForAllAtOnce() throws Exception {
    try (RawClient first = client();
        RawClient second = client();
        RawClient third = client()) {
      first.say(BARRIER, "gate", 3L);
      second.say(BARRIER, "gate", 3L);
      assertThat(third.say(PING, 1).readInt()).isEqualTo(1);
      assertThat(first.hasAnswer()).isFalse();
      assertThat(third.say(BARRIER, "gate", 3L).readByte()).isZero();
      assertThat(first.readByte()).isZero();
      assertThat(second.readByte()).isZero();
    }
  }

  @Test
  void aRequestMayComeByteByByte() throws Exception {
    try (RawClient c = client()) {
      byte[] request = new byte[9 + 3 + 8 + 5];
      request[0] = SET;
      request[1] = 3;
      System.arraycopy("key".getBytes(UTF_8), 0, request, 9, 3);
      request[12] = 5;
      System.arraycopy("value".getBytes(UTF_8), 0, request, 20, 5);
      for (byte b : request) {
        c.say(b);
      }
      assertThat(c.say(GET, "key").readText()).isEqualTo("value");
    }
  }

  @Test
  void aLargeValueGoesThereAndBack() throws Exception {
    String large = "x".repeat(1000 * 1000);
    try (RawClient c = client()) {
      c.say(SET, "large", large);
      c.say(MULTI_GET, 8L, "large", "large", "large", "large", "large", "large", "large", "large");
      for (int i = 0; i < 8; i++) {
        assertThat(c.readText()).isEqualTo(large);
      }
    }
  }

  @Test
  void nonsenseEndsItsOwnConnectionOnly() throws Exception {
    byte[] noise = new byte[1 << 16];
    new Random(1).nextBytes(noise);
    try (RawClient good = client()) {
      RawClient[] bad = {
        new RawClient(server.port()).raw("GET / HTTP/1.1\r\n\r\n".getBytes(UTF_8)),
        new RawClient(server.port()).say((byte) 0, 7),
        new RawClient(server.port()).say(SET, "before", "saying who it is"),
        client().say((byte) 0, 0x3C85F7CE),
        client().say((byte) 99),
        client().say(GET, 1L << 60),
        client().say(GET, -1L),
        client().say(GET, 8193L),
        client().say(SET, "key", (8L << 20) + 1),
        client().say(WAIT, 1L << 40),
        client().say(MULTI_SET, Long.MAX_VALUE),
        client().say(CHECK, (128L << 10) + 1),
        client().say(SET, "text", "abc").say(ADD, "text", 1L),
        client().raw(noise),
      };
      for (RawClient each : bad) {
        assertThat(each.isEnded()).isTrue();
        each.close();
        assertThat(good.say(ADD, "alive", 1L).readLong()).isPositive();
      }
      assertThat(good.say(CHECK, 1L, "before").readByte()).isEqualTo((byte) 1);
    }
  }

  @Test
  void whatIsAnnouncedCostsNothing() throws Exception {
    try (RawClient good = client()) {
      RawClient[] quiet = new RawClient[200];
      // Each announces 8 MiB, all of them six times what this JVM may have, and sends nothing.
      for (int i = 0; i < quiet.length; i++) {
        quiet[i] = client().say(SET, "key", 8L << 20);
      }
      assertThat(good.say(PING, 1).readInt()).isEqualTo(1);
      for (RawClient each : quiet) {
        each.close();
      }
    }
  }

  @Test
  void whatManyHaveSentHasABound() throws Exception {
    byte[] nearly = new byte[(8 << 20) - 1];
    try (RawClient good = client()) {
      RawClient[] half = new RawClient[40];
      // All of them 640 MiB of buffers: more than the clients may have, and than this JVM.
      int ended = 0;
      for (int i = 0; i < half.length; i++) {
        half[i] = client().say(SET, "key", 8L << 20);
        try {
          half[i].raw(nearly);
        } catch (SocketException e) {
          ended++;
        }
      }
      assertThat(good.say(PING, 1).readInt()).isEqualTo(1);
      assertThat(ended).isPositive();
      for (RawClient each : half) {
        each.close();
      }
      // What they had is given back.
      String large = "x".repeat(1_000_000);
      assertThat(good.say(SET, "large", large).say(GET, "large").readText()).isEqualTo(large);
    }
  }

  @Test
  void aBudgetRefusesAndTakesBack() throws Exception {
    Budget budget = new Budget(100);
    budget.take(60);
    assertThatThrownBy(() -> budget.take(41)).hasMessage("the clients need more than 100 bytes");
    budget.give(60);
    budget.take(100);
    assertThat(budget.used()).isEqualTo(100);
  }

  @Test
  void strangersAreRefusedBeforeTheySendMuch() throws Exception {
    try (RawClient stranger = new RawClient(server.port()).say(SET, "key", 8L << 20)) {
      assertThat(stranger.isEnded()).isTrue();
    }
  }

  @Test
  void anAnswerThatDripsEndsInTime() throws Exception {
    try (ServerSocket listener = new ServerSocket(0)) {
      Thread dripping =
          Thread.ofPlatform()
              .daemon()
              .start(() -> {
                try (Socket socket = listener.accept()) {
                  while (true) {
                    socket.getOutputStream().write(0);
                    Thread.sleep(20);
                  }
                } catch (IOException | InterruptedException e) {
                  // The other side has given up.
                }
              });
      Deadline soon = new Deadline(Duration.ofMillis(500), () -> {});
      try (Wire wire =
          Wire.open(
              new InetSocketAddress(InetAddress.getLoopbackAddress(), listener.getLocalPort()),
              soon)) {
        assertThatThrownBy(() -> wire.receive(1 << 20, soon, "no answer"))
            .isInstanceOf(SocketTimeoutException.class);
      }
      dripping.join();
    }
  }

  @Test
  void whoDoesNotListenHoldsUpNobodyAndIsNotHeard() throws Exception {
    String value = "x".repeat(500_000);
    try (RawClient deaf = client();
        RawClient good = client()) {
      deaf.say(SET, "large", value);
      for (int i = 0; i < 2000; i++) {
        deaf.say(GET, "large");
      }
      deaf.say(SET, "after", "all that");
      assertThat(good.say(PING, 1).readInt()).isEqualTo(1);
      assertThat(good.say(CHECK, 1L, "after").readByte()).isEqualTo((byte) 1);
      // What it asked for is there when it listens.
      for (int i = 0; i < 3; i++) {
        assertThat(deaf.readText()).isEqualTo(value);
      }
    }
  }

  @Test
  void anAnswerHasABound() throws Exception {
    try (RawClient c = client()) {
      c.say(SET, "k", "x".repeat(500_000));
      Object[] request = new Object[2 + 200];
      request[0] = MULTI_GET;
      request[1] = 200L;
      Arrays.fill(request, 2, request.length, "k");
      assertThat(c.say(request).isEnded()).isTrue();
    }
  }

  @Test
  void aFullStoreRefusesMoreAndKeepsWhatItHas() throws Exception {
    StoreTable table = new StoreTable(1000);
    table.set("key", new byte[500]);
    assertThatThrownBy(() -> table.set("other", new byte[500]))
        .hasMessage("the store is full: 1000 bytes");
    // Replacing is accounted for by the difference, and deleting gives back.
    table.set("key", new byte[800]);
    assertThat(table.delete("key")).isTrue();
    table.set("other", new byte[800]);
    assertThat(table.get("other")).hasSize(800);
  }

  @Test
  void theThreadAndThePortEndWithTheServer() throws Exception {
    int port = server.port();
    String name = "rdm-store-" + port;
    assertThat(Thread.getAllStackTraces().keySet()).anyMatch(t -> t.getName().equals(name));
    try (RawClient connected = client()) {
      server.close();
      assertThat(connected.isEnded()).isTrue();
    }
    assertThat(Thread.getAllStackTraces().keySet()).noneMatch(t -> t.getName().equals(name));
    try (ServerSocket again = new ServerSocket()) {
      again.setReuseAddress(true);
      again.bind(new InetSocketAddress(port));
    }
    server.close();
  }

  @Test
  void aClientIsToldThatTheServerHasGone() throws Exception {
    Deadline soon = new Deadline(Duration.ofSeconds(20), () -> {});
    try (TcpClient client = TcpClient.connect("127.0.0.1", server.port(), soon, _ -> {})) {
      client.set("key", new byte[] {1}, soon);
      Thread ending =
          Thread.ofPlatform()
              .start(() -> {
                try {
                  Thread.sleep(300);
                } catch (InterruptedException e) {
                  throw new IllegalStateException(e);
                }
                server.close();
              });
      assertThatThrownBy(() -> client.get("never", soon)).hasMessage("connection closed by peer");
      ending.join();
    }
  }
}
