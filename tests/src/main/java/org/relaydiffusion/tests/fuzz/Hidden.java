// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.fuzz;

import java.lang.reflect.AccessibleObject;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;

/** Calls readers that are not accessible through public methods without a complete run. */
final class Hidden {
  private Hidden() {}

  /** Calls a static method of one parameter. */
  static <T> @Nullable Object call(String type, String method, Class<T> parameter, T value) {
    try {
      Method found = open(Class.forName(type).getDeclaredMethod(method, parameter));
      return found.invoke(null, value);
    } catch (ReflectiveOperationException e) {
      throw thrown(e);
    }
  }

  /** Makes an object from a value and a number. */
  static <T> Object make(String type, T value, Class<T> parameter, double number) {
    try {
      Constructor<?> found =
          open(Class.forName(type).getDeclaredConstructor(parameter, double.class));
      return found.newInstance(value, number);
    } catch (ReflectiveOperationException e) {
      throw thrown(e);
    }
  }

  private static <A extends AccessibleObject> A open(A found) {
    found.setAccessible(true);
    return found;
  }

  private static RuntimeException thrown(ReflectiveOperationException e) {
    if (e instanceof InvocationTargetException target) {
      switch (target.getCause()) {
        case RuntimeException known -> {
          return known;
        }
        case Error error -> throw error;
        case null, default -> {}
      }
    }
    return new IllegalStateException("this reader has been renamed: " + e, e);
  }
}
