// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.source.tree.BinaryTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.CompoundAssignmentTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.MemberReferenceTree;
import com.sun.source.tree.MemberSelectTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import javax.lang.model.type.ArrayType;
import javax.lang.model.type.DeclaredType;
import javax.lang.model.type.TypeMirror;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * No message or record is made of a tensor's {@code toString}, which prints its elements and copies
 * them from its device; {@code describe()} has its type and shape. Compiles the sources of all
 * modules to know the types of their expressions.
 */
class TensorTextTest {
  private static final Path PROJECT = Path.of("..").toAbsolutePath().normalize();
  private static final String TENSOR = "org.relaydiffusion.torch.Tensor";

  /** Methods that make text of each argument. */
  private static final Set<String> TEXT_OF_ARGUMENTS =
      Set.of("formatted", "format", "printf", "valueOf", "append", "print", "println", "toString");

  @Test
  void noTextIsMadeOfATensorByAccident() throws IOException {
    List<Path> sources;
    try (Stream<Path> files = Files.walk(PROJECT)) {
      sources =
          files
              .filter(f -> f.toString().endsWith(".java") && !f.endsWith("module-info.java"))
              .filter(f -> PROJECT.relativize(f).toString().matches("[a-z-]+/src/main/java/.*"))
              .toList();
    }
    assertThat(sources).hasSizeGreaterThan(400);
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
      assertThat(findings(compiler, files.getJavaFileObjectsFromPaths(sources))).isEmpty();
    }
  }

  @Test
  void everyWayIsFound() throws IOException {
    assertThat(findingsIn("\"a\" + t")).hasSize(1);
    assertThat(findingsIn("\"a\" + list + 1")).hasSize(1);
    assertThat(findingsIn("\"%s %s\".formatted(1, t)")).hasSize(1);
    assertThat(findingsIn("\"%s\".formatted(list)")).hasSize(1);
    assertThat(findingsIn("String.valueOf(t)")).hasSize(1);
    assertThat(findingsIn("t.toString()")).hasSize(1);
    assertThat(findingsIn("list.toString()")).hasSize(1);
    assertThat(findingsIn("java.util.Arrays.toString(array)")).hasSize(1);
    assertThat(findingsIn("list.stream().map(Tensor::toString)")).hasSize(1);
    assertThat(findingsIn("new StringBuilder().append(t)")).hasSize(1);
    assertThat(findingsIn("\"a\" + t.describe() + t.size(0)")).isEmpty();
    assertThat(findingsIn("\"%s\".formatted(Tensor.describe(list))")).isEmpty();
    assertThat(findingsIn("list.add(t)")).isEmpty();
  }

  private static List<String> findingsIn(String expression) throws IOException {
    String text =
        """
        import java.util.List;
        import org.relaydiffusion.torch.Tensor;
        class C { Object f(Tensor t, List<Tensor> list, Tensor[] array) { return %s; } }
        """
            .formatted(expression);
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
    DiagnosticCollector<JavaFileObject> said = new DiagnosticCollector<>();
    String classPath =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    JavacTask task =
        (JavacTask)
            compiler.getTask(
                null,
                null,
                said,
                List.of("-proc:none", "-implicit:none", "-classpath", classPath),
                null,
                sources);
    Iterable<? extends CompilationUnitTree> units = task.parse();
    task.analyze();
    List<String> findings = new ArrayList<>();
    for (CompilationUnitTree unit : units) {
      new TextScanner(Trees.instance(task), unit, findings).scan(unit, null);
    }
    assertThat(said.getDiagnostics().stream().filter(d -> d.getKind() == Diagnostic.Kind.ERROR))
        .isEmpty();
    return findings;
  }

  /** Looks for expressions of tensors where text is made of them. */
  private static final class TextScanner extends TreePathScanner<Void, Void> {
    private final Trees trees;
    private final CompilationUnitTree unit;
    private final List<String> findings;

    TextScanner(Trees trees, CompilationUnitTree unit, List<String> findings) {
      this.trees = trees;
      this.unit = unit;
      this.findings = findings;
    }

    @Override
    public Void visitBinary(BinaryTree sum, Void nothing) {
      if (sum.getKind() == Tree.Kind.PLUS) {
        check(sum.getLeftOperand());
        check(sum.getRightOperand());
      }
      return super.visitBinary(sum, null);
    }

    @Override
    public Void visitCompoundAssignment(CompoundAssignmentTree sum, Void nothing) {
      check(sum.getExpression());
      return super.visitCompoundAssignment(sum, null);
    }

    @Override
    public Void visitMethodInvocation(MethodInvocationTree call, Void nothing) {
      if (call.getMethodSelect() instanceof MemberSelectTree selected
          && TEXT_OF_ARGUMENTS.contains(selected.getIdentifier().toString())) {
        call.getArguments().forEach(this::check);
        if (selected.getIdentifier().contentEquals("toString")) {
          check(selected.getExpression());
        }
      }
      return super.visitMethodInvocation(call, null);
    }

    @Override
    public Void visitMemberReference(MemberReferenceTree ref, Void nothing) {
      if (ref.getName().contentEquals("toString")) {
        check(ref.getQualifierExpression());
      }
      return super.visitMemberReference(ref, null);
    }

    private void check(ExpressionTree tree) {
      TypeMirror type = trees.getTypeMirror(new TreePath(getCurrentPath(), tree));
      if (isOfTensors(type)) {
        long start = trees.getSourcePositions().getStartPosition(unit, tree);
        findings.add(
            "%s:%s: %s"
                .formatted(
                    unit.getSourceFile().getName(), unit.getLineMap().getLineNumber(start), tree));
      }
    }

    private static boolean isOfTensors(@Nullable TypeMirror type) {
      return switch (type) {
        case ArrayType array -> isOfTensors(array.getComponentType());
        case DeclaredType declared ->
            declared.asElement().toString().equals(TENSOR)
                || declared.getTypeArguments().stream().anyMatch(TextScanner::isOfTensors);
        case null, default -> false;
      };
    }
  }
}
