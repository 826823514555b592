// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.lang.reflect.Field;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Every {@link Operator} that a class of this module keeps in a static field. */
final class OurOperators {
  private OurOperators() {}

  static List<Operator> all() throws Exception {
    List<Operator> operators = new ArrayList<>();
    Path root = Path.of(Operator.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    if (Files.isDirectory(root)) {
      collect(root, operators);
    } else {
      try (FileSystem jar =
          FileSystems.newFileSystem(URI.create("jar:" + root.toUri()), java.util.Map.of())) {
        collect(jar.getPath("/"), operators);
      }
    }
    return operators;
  }

  static List<String> names() {
    try {
      return all().stream().map(Operator::toString).toList();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private static void collect(Path root, List<Operator> operators) throws Exception {
    List<String> names;
    try (Stream<Path> files = Files.walk(root)) {
      names =
          files
              .map(f -> root.relativize(f).toString().replace('\\', '/'))
              .filter(f -> f.endsWith(".class") && f.contains("/torch/"))
              .filter(f -> !f.contains("/cpp/") && !f.contains("/ffi/"))
              .map(f -> f.substring(0, f.length() - 6).replace('/', '.'))
              .toList();
    }
    for (String name : names) {
      Class<?> type = Class.forName(name, false, Operator.class.getClassLoader());
      for (Field field : type.getDeclaredFields()) {
        if (field.getType() == Operator.class
            && java.lang.reflect.Modifier.isStatic(field.getModifiers())) {
          field.setAccessible(true);
          operators.add((Operator) field.get(null));
        }
      }
    }
  }

  static String text(@Nullable Object value) {
    return switch (value) {
      case null -> "None";
      case long[] numbers -> Arrays.toString(numbers);
      case double[] numbers -> Arrays.toString(numbers);
      case boolean[] truths -> Arrays.toString(truths);
      default -> value.toString();
    };
  }
}
