// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.launch.command.Console;

class ScreenTest {
  private final StringWriter text = new StringWriter();

  private Screen screen(boolean live) {
    PrintWriter writer = new PrintWriter(text);
    return new Screen(new Console(writer, writer, live, Map.of()));
  }

  @Test
  void theStatusStaysBelowTheLines() throws Exception {
    Screen screen = screen(true);
    screen.status("step 1");
    ShellRun.until(() -> text.toString().contains("step 1"));
    screen.out("a line");
    ShellRun.until(() -> text.toString().endsWith("\nstep 1"));
    screen.status("");

    assertThat(screen.finish()).isTrue();
    assertThat(text.toString().replace(System.lineSeparator(), "\n"))
        .isEqualTo("\r\033[Kstep 1\r\033[Ka line\nstep 1\r\033[K");
  }

  @Test
  void theStatusFitsTheTerminal() {
    PrintWriter writer = new PrintWriter(text);
    Screen screen = new Screen(new Console(writer, writer, true, Map.of("COLUMNS", "20")));
    screen.status("[rank 0] stage 1 step 1/2  0/4 images");

    assertThat(screen.finish()).isTrue();
    assertThat(text.toString()).isEqualTo("\r\033[K[rank 0] stage 1...");
  }

  @Test
  void nothingThatARankOrAPeerSaysActsOnTheTerminal() {
    Screen screen = screen(true);
    screen.say("joined by evil\033[2J\u202e");
    screen.out("\u009b31m");

    assertThat(screen.finish()).isTrue();
    assertThat(text.toString().replace(System.lineSeparator(), "\n"))
        .isEqualTo("rdm launch: joined by evil\\u{1b}[2J\\u{202e}\n\\u{9b}31m\n");
  }

  @Test
  void aLogHasNoStatus() {
    Screen screen = screen(false);
    screen.status("step 1");
    screen.err("a line");

    assertThat(screen.finish()).isTrue();
    assertThat(text.toString()).isEqualTo("a line" + System.lineSeparator());
  }

  @Test
  void anAnswerIsThatOfTheLastAttemptAndComesLast() {
    Screen screen = screen(false);
    screen.result(List.of("{\"attempt\": 0}"));
    screen.result(List.of("{\"attempt\": 1}"));
    screen.say("a line");

    assertThat(screen.finish()).isTrue();
    assertThat(text.toString().lines()).containsExactly("rdm launch: a line", "{\"attempt\": 1}");
  }

  /** Takes nothing until it is opened. */
  private static final class Valve extends Writer {
    private final CountDownLatch open = new CountDownLatch(1);
    private final StringWriter taken = new StringWriter();

    @Override
    public void write(char[] text, int from, int count) {
      try {
        open.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      taken.write(text, from, count);
    }

    @Override
    public void flush() {}

    @Override
    public void close() {}
  }

  @Test
  void aReaderThatIsSlowLosesNothingAndOneThatTakesNothingHoldsUpNobodyAtTheEnd() throws Exception {
    Valve valve = new Valve();
    PrintWriter writer = new PrintWriter(valve);
    Screen screen = new Screen(new Console(writer, writer, false, Map.of()));
    String line = "x".repeat(10_000);
    // More than may wait: this thread waits for the reader.
    Thread rank =
        Thread.ofPlatform().start(() -> IntStream.range(0, 300).forEach(_ -> screen.out(line)));
    assertThat(rank.join(Duration.ofMillis(300))).isFalse();

    screen.say("a failure"); // The launcher's own words do not wait.
    screen.hurry();

    assertThat(rank.join(Duration.ofSeconds(30))).isTrue();
    assertThat(screen.finish()).isFalse();
    valve.open.countDown();
    ShellRun.until(() -> valve.taken.toString().contains("because the output was not read"));
    assertThat(valve.taken.toString().lines().filter(line::equals).count()).isBetween(90L, 299L);
    assertThat(valve.taken.toString()).contains("rdm launch: a failure");
  }
}
