package org.relaydiffusion.launch.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.launch.command.Console;

class ScreenTest {
  private final StringWriter text = new StringWriter();

  private Screen screen(boolean live) {
    PrintWriter writer = new PrintWriter(text);
    return new Screen(new Console(writer, writer, live, Map.of()));
  }

  @Test
  void theStatusStaysBelowTheLines() {
    Screen screen = screen(true);
    screen.status("step 1");
    screen.out("a line");
    screen.status("");

    assertThat(text.toString().replace(System.lineSeparator(), "\n"))
        .isEqualTo("\r\033[Kstep 1\r\033[Ka line\nstep 1\r\033[K");
  }

  @Test
  void aLogHasNoStatus() {
    Screen screen = screen(false);
    screen.status("step 1");
    screen.err("a line");

    assertThat(text.toString()).isEqualTo("a line" + System.lineSeparator());
  }
}
