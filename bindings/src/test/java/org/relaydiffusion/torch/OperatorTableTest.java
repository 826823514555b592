// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeDynamicInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.DirectMethodHandleDesc;
import java.lang.reflect.AccessFlag;
import java.lang.reflect.Field;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The table in the package's Javadoc, from PyTorch's operators to the methods that call them, is
 * made of the classes themselves: which public method reads which operator.
 */
class OperatorTableTest {
  private static final Path SOURCE =
      Path.of("src/main/java/org/relaydiffusion/torch/package-info.java");
  private static final String BEGIN = " * <!-- operators -->\n";
  private static final String END = " * <!-- end of operators -->\n";

  /** Methods that reach an operator by a C function of its own, or through another class. */
  private static final Map<String, String> OTHERWISE =
      Map.of(
          "aten::add", "Pointwise.add",
          "aten::sub", "Pointwise.sub",
          "aten::randn.generator", "Generator.randn",
          "aten::rand.generator", "Generator.rand",
          "aten::randint.generator", "Generator.randint",
          "aten::randperm.generator", "Generator.randperm",
          "aten::empty_strided", "Torch.emptyStrided",
          "aten::index.Tensor", "Tensor.index",
          "aten::index_put_", "Tensor.indexPut");

  /** To make the table anew, copy what was expected from the report. */
  @Test
  void theTableInTheJavadocIsThatOfTheClasses() throws Exception {
    String text = Files.readString(SOURCE);
    assertThat(text).contains(BEGIN).contains(END);
    String table = text.substring(text.indexOf(BEGIN) + BEGIN.length(), text.indexOf(END));
    String expected = table();
    Files.writeString(Path.of("target/operators.txt"), expected);
    assertThat(table).isEqualTo(expected);
  }

  private static String table() throws Exception {
    Map<String, Set<String>> methods = new TreeMap<>();
    OTHERWISE.forEach((o, m) -> methods.computeIfAbsent(o, _ -> new TreeSet<>()).add(m));
    for (Path file : classFiles()) {
      new Reading(ClassFile.of().parse(file)).collect(methods);
    }
    StringBuilder rows = new StringBuilder();
    methods.forEach((operator, callers) -> rows.append(row(operator, callers)));
    return rows.toString();
  }

  private static String row(String operator, Set<String> callers) {
    StringBuilder cell = new StringBuilder();
    for (String caller : callers) {
      int dot = caller.lastIndexOf('.');
      String link = "{@link %s#%s}".formatted(caller.substring(0, dot), caller.substring(dot + 1));
      cell.append(cell.isEmpty() ? "" : ",\n *         ").append(link);
    }
    return " *   <tr><td>{@code %s}</td>\n *     <td>%s</td></tr>\n".formatted(operator, cell);
  }

  private static Iterable<Path> classFiles() throws Exception {
    Path root = Path.of(Operator.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    try (Stream<Path> files = Files.list(root.resolve("org/relaydiffusion/torch"))) {
      return files.filter(f -> f.toString().endsWith(".class")).sorted().toList();
    }
  }

  /** One class: which of its methods read which operators, by themselves or through others. */
  private static final class Reading {
    private final ClassModel model;
    private final String name;
    private final boolean isPublic;
    private final Map<String, String> operators = new TreeMap<>();

    Reading(ClassModel model) throws ReflectiveOperationException, IOException {
      this.model = model;
      name = model.thisClass().asInternalName();
      Class<?> type = Class.forName(name.replace('/', '.'));
      isPublic =
          Stream.<Class<?>>iterate(type, Objects::nonNull, Class::getEnclosingClass)
              .allMatch(t -> t.accessFlags().contains(AccessFlag.PUBLIC));
      for (Field field : type.getDeclaredFields()) {
        if (field.getType() == Operator.class && field.accessFlags().contains(AccessFlag.STATIC)) {
          field.setAccessible(true);
          operators.put(field.getName(), String.valueOf(field.get(null)));
        }
      }
    }

    void collect(Map<String, Set<String>> methods) {
      if (!isPublic) {
        return;
      }
      for (MethodModel method : model.methods()) {
        if (method.flags().has(AccessFlag.PUBLIC)) {
          String caller =
              name.substring(name.lastIndexOf('/') + 1).replace('$', '.')
                  + "."
                  + method.methodName().stringValue();
          for (String operator : read(method, new HashSet<>())) {
            methods.computeIfAbsent(operator, _ -> new TreeSet<>()).add(caller);
          }
        }
      }
    }

    /** Follows calls of this class's own methods that are not public, and its lambdas. */
    private Set<String> read(MethodModel method, Set<String> seen) {
      Set<String> found = new TreeSet<>();
      if (!seen.add(key(method.methodName().stringValue(), method.methodType().stringValue()))) {
        return found;
      }
      method
          .code()
          .ifPresent(code ->
              code.forEach(element -> {
                switch (element) {
                  case FieldInstruction f when f.owner().asInternalName().equals(name) -> {
                    String operator = operators.get(f.name().stringValue());
                    if (operator != null) {
                      found.add(operator);
                    }
                  }
                  case InvokeInstruction i when i.owner().asInternalName().equals(name) ->
                      found.addAll(follow(i.name().stringValue(), i.type().stringValue(), seen));
                  case InvokeDynamicInstruction i ->
                      i.bootstrapArgs().stream()
                          .filter(DirectMethodHandleDesc.class::isInstance)
                          .map(DirectMethodHandleDesc.class::cast)
                          .forEach(h ->
                              found.addAll(follow(h.methodName(), h.lookupDescriptor(), seen)));
                  default -> {}
                }
              }));
      return found;
    }

    private Set<String> follow(String called, String type, Set<String> seen) {
      return model.methods().stream()
          .filter(m -> !m.flags().has(AccessFlag.PUBLIC))
          .filter(m ->
              key(m.methodName().stringValue(), m.methodType().stringValue())
                  .equals(key(called, type)))
          .map(m -> read(m, seen))
          .collect(TreeSet::new, TreeSet::addAll, TreeSet::addAll);
    }

    private static String key(String name, String type) {
      return name + type;
    }
  }
}
