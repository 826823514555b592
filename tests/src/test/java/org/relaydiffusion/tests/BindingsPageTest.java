// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.StringWriter;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The code in docs/bindings.md compiles, runs and prints what the page says. */
class BindingsPageTest {
  private static final Path PAGE = Path.of("../docs/bindings.md");
  private static final Pattern BLOCK = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

  /** What the page says that its pieces leave out, and a scope around each. */
  private static final String PIECE =
      """
      import org.relaydiffusion.torch.*;
      import org.relaydiffusion.torch.nn.*;
      import org.relaydiffusion.torch.optim.*;

      void main() {
      try (TensorScope wholePiece = TensorScope.open()) {
      CODE
      }
      }
      """;

  @TempDir Path folder;

  private static List<String> blocks() throws IOException {
    List<String> blocks = new ArrayList<>();
    Matcher block = BLOCK.matcher(Files.readString(PAGE));
    while (block.find()) {
      blocks.add(block.group(1));
    }
    return blocks;
  }

  @Test
  void everyPieceRunsAndPrintsWhatThePageSays() throws Exception {
    int pieces = 0;
    for (String block : blocks()) {
      if (!block.startsWith("import")) {
        String name = "Piece" + ++pieces;
        assertThat(run(name, PIECE.replace("CODE", block))).as(block).isEqualTo(shown(block));
      }
    }
    assertThat(pieces).isGreaterThanOrEqualTo(8);
  }

  /** The lines that are nothing but a comment. */
  private static List<String> shown(String block) {
    return block
        .lines()
        .map(String::strip)
        .filter(line -> line.startsWith("// "))
        .map(line -> line.substring(3))
        .toList();
  }

  @Test
  void theNetworkIsTrainedInFortyLines() throws Exception {
    List<String> programs = blocks().stream().filter(b -> b.startsWith("import")).toList();
    assertThat(programs).hasSize(1);
    assertThat(programs.getFirst().lines().filter(line -> !line.isBlank()).count())
        .isLessThanOrEqualTo(40);
    List<String> printed = run("Ring", programs.getFirst());
    assertThat(printed).hasSize(6);
    assertThat(printed.getLast()).startsWith("right: ");
    assertThat(Float.parseFloat(printed.getLast().substring(7))).isGreaterThan(0.95f);
  }

  /** Compiles a file, runs its main and returns the lines that it printed. */
  private List<String> run(String name, String source) throws Exception {
    Path file = folder.resolve(name + ".java");
    Files.writeString(file, source);
    compile(file);
    PrintStream before = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    try (URLClassLoader loader =
            new URLClassLoader(
                new URL[] {folder.toUri().toURL()}, BindingsPageTest.class.getClassLoader());
        PrintStream out = new PrintStream(printed, true, UTF_8)) {
      Class<?> program = loader.loadClass(name);
      Constructor<?> constructor = program.getDeclaredConstructor();
      constructor.setAccessible(true);
      Method main = program.getDeclaredMethod("main");
      main.setAccessible(true);
      System.setOut(out);
      main.invoke(constructor.newInstance());
    } finally {
      System.setOut(before);
    }
    return printed.toString(UTF_8).lines().toList();
  }

  private void compile(Path file) throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter said = new StringWriter();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
      String classPath =
          System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
      boolean compiled =
          compiler
              .getTask(
                  said,
                  files,
                  null,
                  List.of("-proc:none", "-classpath", classPath, "-d", folder.toString()),
                  null,
                  files.getJavaFileObjects(file))
              .call();
      assertThat(compiled).as("%s: %s", Files.readString(file), said).isTrue();
    }
  }
}
