// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.loading;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Array;
import java.lang.reflect.Constructor;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.nativeconfig.NativeLibraryException;
import org.relaydiffusion.torch.Operator;
import org.relaydiffusion.torch.Torch;

/**
 * Calls every public static method and constructor of the bindings' exported packages twice, with
 * the plainest arguments there are, and an operator that nobody wraps; prints what each threw:
 * {@code LOAD message} for a LibTorch that could not be loaded, {@code ERROR} for a {@link
 * LinkageError} or another error, {@code OTHER} for what the arguments deserve, {@code DONE}.
 */
final class EntryPointsMain {
  private static final List<String> PACKAGES = List.of("", "amp", "distributed", "nn", "optim");

  private EntryPointsMain() {}

  public static void main(String[] arguments) throws Exception {
    Operator eye =
        Operator.of(
            "aten::eye(SymInt n, *, ScalarType? dtype=None, Layout? layout=None,"
                + " Device? device=None, bool? pin_memory=None) -> Tensor");
    for (int i = 0; i < 2; i++) {
      report("Operator.named", () -> Operator.named("aten::atan2"));
      report("Operator.call", () -> eye.call().arg(3).tensor());
    }
    for (Class<?> type : publicClasses()) {
      for (Executable executable : executables(type)) {
        Object[] values =
            Arrays.stream(executable.getParameterTypes()).map(EntryPointsMain::plain).toArray();
        for (int i = 0; i < 2; i++) {
          report(
              type.getSimpleName() + "." + executable.getName(),
              () ->
                  executable instanceof Method method
                      ? method.invoke(null, values)
                      : ((Constructor<?>) executable).newInstance(values));
        }
      }
    }
    // Not by the end of main: a store or a group may have begun to listen.
    System.exit(0);
  }

  private interface Call {
    @Nullable Object make() throws ReflectiveOperationException;
  }

  private static void report(String name, Call call) throws Exception {
    String outcome;
    try {
      // What is open may be open but once.
      if (call.make() instanceof AutoCloseable opened) {
        opened.close();
      }
      outcome = "DONE";
    } catch (InvocationTargetException e) {
      outcome = outcome(e.getTargetException());
    } catch (RuntimeException | Error e) {
      outcome = outcome(e);
    }
    System.out.println(name + " " + outcome);
  }

  private static String outcome(Throwable thrown) {
    return switch (thrown) {
      case NativeLibraryException e -> "LOAD " + e.getMessage();
      case Error e -> "ERROR " + e;
      default -> "OTHER " + thrown;
    };
  }

  private static List<Class<?>> publicClasses() throws URISyntaxException, IOException {
    Path root = Path.of(Torch.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    List<Class<?>> classes = new ArrayList<>();
    for (String name : PACKAGES) {
      try (Stream<Path> files =
          Files.list(root.resolve("org/relaydiffusion/torch").resolve(name))) {
        files
            .filter(f -> f.toString().endsWith(".class"))
            .map(f -> root.relativize(f).toString().replace('/', '.').replaceAll("\\.class$", ""))
            .filter(f -> !f.endsWith("package-info"))
            .sorted()
            .map(EntryPointsMain::load)
            .filter(c -> Modifier.isPublic(c.getModifiers()))
            .forEach(classes::add);
      } catch (UncheckedIOException e) {
        throw e.getCause();
      }
    }
    return classes;
  }

  private static Class<?> load(String name) {
    try {
      return Class.forName(name, false, EntryPointsMain.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new IllegalStateException(e);
    }
  }

  private static List<Executable> executables(Class<?> type) {
    Stream<Executable> methods =
        Arrays.stream(type.getDeclaredMethods())
            .filter(m -> Modifier.isStatic(m.getModifiers()))
            .map(Executable.class::cast);
    Stream<Executable> constructors =
        Modifier.isAbstract(type.getModifiers())
            ? Stream.empty()
            : Arrays.stream(type.getDeclaredConstructors()).map(Executable.class::cast);
    return Stream.concat(methods, constructors)
        .filter(e -> Modifier.isPublic(e.getModifiers()))
        .sorted((a, b) -> a.toString().compareTo(b.toString()))
        .toList();
  }

  /** The plainest value of a type; null where there is none, as for a tensor. */
  private static @Nullable Object plain(Class<?> type) {
    if (type.isArray()) {
      Object array = Array.newInstance(type.getComponentType(), 1);
      Array.set(array, 0, plain(type.getComponentType()));
      return array;
    }
    if (type.isEnum()) {
      return type.getEnumConstants()[0];
    }
    return switch (type.getSimpleName()) {
      case "int", "Integer" -> 1;
      case "long", "Long" -> 1L;
      case "double", "Double" -> 1.0;
      case "float", "Float" -> 1f;
      case "byte" -> (byte) 1;
      case "boolean" -> false;
      case "String" -> "localhost";
      case "Device" -> org.relaydiffusion.torch.Device.CPU;
      case "List" -> List.of();
      case "Optional" -> Optional.empty();
      case "Duration" -> Duration.ofSeconds(1);
      default -> null;
    };
  }
}
