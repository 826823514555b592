// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.misuse;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.relaydiffusion.torch.Tensor;

/** Every public method and constructor of the binding's exported packages, in a fixed order. */
final class Surface {
  private static final List<String> PACKAGES = List.of("", "amp", "distributed", "nn", "optim");

  private Surface() {}

  /** The methods and constructors. */
  static List<Executable> all() {
    List<Executable> all = new ArrayList<>();
    for (Class<?> type : classes()) {
      if (!isPublic(type)) {
        continue;
      }
      if (!Modifier.isAbstract(type.getModifiers())) {
        Arrays.stream(type.getConstructors()).forEach(all::add);
      }
      for (Method m : type.getMethods()) {
        if (m.getDeclaringClass() == type
            && !m.isBridge()
            && !m.isSynthetic()
            && !isMadeByTheCompiler(m)) {
          all.add(m);
        }
      }
    }
    all.sort(Comparator.comparing(Executable::toGenericString));
    return all;
  }

  /** A short name, such as {@code Shapes.narrow} or {@code new Device}. */
  static String name(Executable call) {
    Class<?> type = call.getDeclaringClass();
    String owner =
        type.getEnclosingClass() == null
            ? type.getSimpleName()
            : type.getEnclosingClass().getSimpleName() + "." + type.getSimpleName();
    return call instanceof Constructor ? "new " + owner : owner + "." + call.getName();
  }

  /** An enum's {@code values} and {@code valueOf} behave as those of all enums. */
  private static boolean isMadeByTheCompiler(Method m) {
    return m.getDeclaringClass().isEnum()
        && (m.getName().equals("values") || m.getName().equals("valueOf"));
  }

  private static boolean isPublic(Class<?> type) {
    return Modifier.isPublic(type.getModifiers())
        && (type.getEnclosingClass() == null || isPublic(type.getEnclosingClass()));
  }

  private static List<Class<?>> classes() {
    try {
      URI place = Tensor.class.getProtectionDomain().getCodeSource().getLocation().toURI();
      Path path = Path.of(place);
      if (Files.isDirectory(path)) {
        return classesIn(path);
      }
      try (FileSystem jar = FileSystems.newFileSystem(path)) {
        return classesIn(jar.getPath("/"));
      }
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<Class<?>> classesIn(Path root) throws IOException {
    List<Class<?>> classes = new ArrayList<>();
    for (String name : PACKAGES) {
      try (Stream<Path> files = Files.list(root.resolve("org/relaydiffusion/torch/" + name))) {
        for (Path file : files.sorted().toList()) {
          String text = root.relativize(file).toString();
          if (text.endsWith(".class") && !text.endsWith("-info.class")) {
            classes.add(Class.forName(text.replaceAll("[/\\\\]", ".").replaceAll("\\.class$", "")));
          }
        }
      } catch (ClassNotFoundException e) {
        throw new IllegalStateException(e);
      }
    }
    return classes;
  }
}
