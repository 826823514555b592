// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.BinaryTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ConditionalExpressionTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.LiteralTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.NewClassTree;
import com.sun.source.tree.ParenthesizedTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreeScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/**
 * No text depends on the user's locale. In {@code fa_IR} {@code "%d".formatted(4)} has a Persian
 * digit, in {@code de_DE} {@code "%.1f"} a comma, and in {@code tr_TR} {@code "I".toLowerCase()} no
 * dot: a file's name or an option made that way is not found again, and JSON cannot be read.
 *
 * <p>So the sources, tests included, format numbers with {@code %s}, or give a locale.
 */
class LocaleTest {
  private static final Path PROJECT = Path.of("..").toAbsolutePath().normalize();

  /** A conversion of {@link java.util.Formatter}; group 1 is its letter. */
  private static final Pattern CONVERSION =
      Pattern.compile("%(?:\\d+\\$)?[-#+ 0,(<]*\\d*(?:\\.\\d+)?([a-zA-Z%])");

  /** The conversions whose result is the same in every locale. */
  private static final String INDEPENDENT = "%bchnosx";

  private static final Set<String> LOCALISED_TYPES =
      Set.of("DecimalFormat", "SimpleDateFormat", "MessageFormat", "Scanner", "Formatter");

  @Test
  void noTextDependsOnTheUsersLocale() throws IOException {
    List<Path> sources;
    try (Stream<Path> files = Files.walk(PROJECT)) {
      sources =
          files
              .filter(f -> f.toString().endsWith(".java"))
              .filter(f -> PROJECT.relativize(f).toString().contains("src"))
              .toList();
    }
    assertThat(sources).hasSizeGreaterThan(800);
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
      assertThat(findings(compiler, files.getJavaFileObjectsFromPaths(sources))).isEmpty();
    }
  }

  @Test
  void everyKindOfDependenceIsFound() throws IOException {
    assertThat(findingsIn("\"%d\".formatted(1)")).hasSize(1);
    assertThat(findingsIn("(\"a\" + (b ? \"%s\" : \"%.1f\")).formatted(1)")).hasSize(1);
    assertThat(findingsIn("pattern.formatted(1)")).hasSize(1);
    assertThat(findingsIn("String.format(\"%,d\", 1)")).hasSize(1);
    assertThat(findingsIn("out.printf(\"%05d\", 1)")).hasSize(1);
    assertThat(findingsIn("name.toLowerCase()")).hasSize(1);
    assertThat(findingsIn("assertThat(x).hasMessage(\"row %d\", 3)")).hasSize(1);
    assertThat(findingsIn("assertThat(x).as(\"row %s\", 3)")).isEmpty();
    assertThat(findingsIn("assertThat(x).hasMessage(\"100 %d\")")).isEmpty();
    assertThat(findingsIn("new java.text.DecimalFormat(\"0.0\")")).hasSize(1);
    assertThat(findingsIn("NumberFormat.getInstance()")).hasSize(1);
    assertThat(findingsIn("\"%s%n%x\".formatted(1, 2)")).isEmpty();
    assertThat(findingsIn("String.format(Locale.ROOT, \"%,d\", 1)")).isEmpty();
    assertThat(findingsIn("name.toLowerCase(Locale.ROOT)")).isEmpty();
  }

  private static List<String> findingsIn(String expression) throws IOException {
    String text = "class C { Object f() { return %s; } }".formatted(expression);
    JavaFileObject source =
        new SimpleJavaFileObject(URI.create("string:///C.java"), JavaFileObject.Kind.SOURCE) {
          @Override
          public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
          }
        };
    return findings(ToolProvider.getSystemJavaCompiler(), List.of(source));
  }

  private static List<String> findings(
      JavaCompiler compiler, Iterable<? extends JavaFileObject> sources) throws IOException {
    DiagnosticCollector<JavaFileObject> errors = new DiagnosticCollector<>();
    JavacTask task = (JavacTask) compiler.getTask(null, null, errors, null, null, sources);
    SourcePositions positions = Trees.instance(task).getSourcePositions();
    List<String> findings = new ArrayList<>();
    for (CompilationUnitTree unit : task.parse()) {
      new TreeScanner<Void, Void>() {
        @Override
        public Void visitMethodInvocation(MethodInvocationTree call, Void nothing) {
          if (call.getMethodSelect() instanceof MemberSelectTree selected) {
            String name = selected.getIdentifier().toString();
            boolean depends =
                switch (name) {
                  case "formatted" -> isLocalised(selected.getExpression());
                  case "format", "printf" ->
                      !call.getArguments().isEmpty() && isLiteralLocalised(call);
                  // AssertJ formats what it expects and how it describes a value.
                  case "as",
                      "describedAs",
                      "withFailMessage",
                      "hasMessage",
                      "hasMessageStartingWith",
                      "hasMessageContaining",
                      "hasMessageEndingWith" ->
                      call.getArguments().size() > 1 && isLiteralLocalised(call);
                  case "toLowerCase", "toUpperCase" ->
                      call.getArguments().isEmpty()
                          && !selected.getExpression().toString().startsWith("Character");
                  case "getInstance", "getIntegerInstance", "getNumberInstance" ->
                      call.getArguments().isEmpty()
                          && selected.getExpression().toString().endsWith("NumberFormat");
                  default -> false;
                };
            if (depends) {
              find(call);
            }
          }
          return super.visitMethodInvocation(call, null);
        }

        @Override
        public Void visitNewClass(NewClassTree made, Void nothing) {
          String type = made.getIdentifier().toString();
          if (LOCALISED_TYPES.contains(type.substring(type.lastIndexOf('.') + 1))) {
            find(made);
          }
          return super.visitNewClass(made, null);
        }

        private void find(ExpressionTree tree) {
          long line = unit.getLineMap().getLineNumber(positions.getStartPosition(unit, tree));
          findings.add("%s:%s: %s".formatted(unit.getSourceFile().getName(), line, tree));
        }
      }.scan(unit, null);
    }
    assertThat(errors.getDiagnostics()).isEmpty();
    return findings;
  }

  private static boolean isLiteralLocalised(MethodInvocationTree call) {
    ExpressionTree first = call.getArguments().getFirst();
    return text(first).isPresent() && isLocalised(first);
  }

  /** Whether the text formats in the user's locale, or cannot be known. */
  private static boolean isLocalised(ExpressionTree format) {
    Optional<String> text = text(format);
    if (text.isEmpty()) {
      return true;
    }
    Matcher conversion = CONVERSION.matcher(text.get());
    while (conversion.find()) {
      if (!INDEPENDENT.contains(conversion.group(1))) {
        return true;
      }
    }
    return false;
  }

  /** What literals in an expression say; empty where it is not made of literals. */
  private static Optional<String> text(ExpressionTree tree) {
    return switch (tree) {
      case LiteralTree literal when literal.getValue() instanceof String text -> Optional.of(text);
      case ParenthesizedTree inner -> text(inner.getExpression());
      // What is not a literal inside a concatenation is taken for text without conversions.
      case BinaryTree sum -> {
        Optional<String> left = text(sum.getLeftOperand());
        Optional<String> right = text(sum.getRightOperand());
        yield left.isEmpty() && right.isEmpty()
            ? Optional.empty()
            : Optional.of(left.orElse("") + right.orElse(""));
      }
      case ConditionalExpressionTree choice ->
          text(choice.getTrueExpression())
              .flatMap(yes -> text(choice.getFalseExpression()).map(no -> yes + no));
      default -> Optional.empty();
    };
  }
}
