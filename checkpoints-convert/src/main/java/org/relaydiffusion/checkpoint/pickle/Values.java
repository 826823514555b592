// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.Printable;

/** Descriptions and properties of values of any type. */
public final class Values {
  private Values() {}

  /**
   * Returns a short description of a value: its own text if it is simple, otherwise its type. Never
   * iterates over it.
   */
  public static String show(@Nullable Object value) {
    return switch (value) {
      case null -> "nothing";
      case String s -> "'" + Printable.of(s) + "'";
      case Long n -> n.toString();
      case Double d -> d.toString();
      case Boolean b -> b ? "True" : "False";
      case BigInteger n -> "a number of %s bits".formatted(n.bitLength());
      case PyNone _ -> "None";
      case List<?> list -> "a list of %s".formatted(list.size());
      case Tuple tuple -> "a tuple of %s".formatted(tuple.size());
      case Map<?, ?> map -> "a dictionary of %s".formatted(map.size());
      case Set<?> set -> "a set of %s".formatted(set.size());
      case ByteRange bytes -> "%s bytes".formatted(bytes.memory().byteSize());
      case LongText text -> "a string of %s bytes".formatted(text.utf8().byteSize());
      case InertName inert -> Printable.of(inert.name().toString());
      case InertObject object -> "an object " + Printable.of(object.type().toString());
      case Callable callable -> Printable.of(callable.name().toString());
      case Instance instance -> "an object " + Printable.of(instance.type().toString());
      case PersistentObject object -> "an object " + Printable.of(object.className());
      case Described described -> described.describe();
      default -> "a " + value.getClass().getSimpleName();
    };
  }

  /**
   * Returns the value as the key of a dictionary or the item of a set. Containers are rejected:
   * hashing one that contains itself, or shares its parts many times, might never end.
   *
   * @throws BadPickleException if it is not a simple value
   */
  public static Object key(Object value) {
    return switch (value) {
      case String _, Long _, Double _, Boolean _, BigInteger _, PyNone _ -> value;
      default ->
          throw new BadPickleException(
              "%s cannot be the key of a dictionary or the item of a set".formatted(show(value)));
    };
  }
}
