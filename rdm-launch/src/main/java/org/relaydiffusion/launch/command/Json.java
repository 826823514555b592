// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.model.JsonText;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/**
 * Writes results as JSON. Records become objects with names in snake case, in the order of their
 * components. An empty optional and NaN become null; an infinity becomes a string, see {@link
 * JsonText#number}.
 */
public final class Json {
  private Json() {}

  /** Returns the text of one object, on several lines. */
  public static String write(Object value) {
    return JsonText.printable(
        JsonMapper.builder()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build()
            .writeValueAsString(plain(value)));
  }

  /** Returns the text of one object, on one line without spaces. */
  public static String line(Object value) {
    return JsonText.printable(JsonMapper.shared().writeValueAsString(plain(value)));
  }

  private static @Nullable Object plain(@Nullable Object value) {
    return switch (value) {
      case null -> null;
      case Double number -> JsonText.number(number);
      case Float number when !Float.isFinite(number) -> JsonText.number(number);
      case Number _, Boolean _, String _ -> value;
      case Enum<?> constant -> constant.name().toLowerCase(Locale.ROOT);
      case Optional<?> optional -> plain(optional.orElse(null));
      case OptionalInt optional -> optional.isPresent() ? optional.getAsInt() : null;
      case OptionalLong optional -> optional.isPresent() ? optional.getAsLong() : null;
      case OptionalDouble optional -> optional.isPresent() ? plain(optional.getAsDouble()) : null;
      case Map<?, ?> map -> object(map);
      // A path iterates over its own elements, so it must come before iterables.
      case Path path -> path.toString();
      case Iterable<?> iterable -> list(iterable);
      case Record fields -> object(fields);
      default -> value.toString();
    };
  }

  private static List<@Nullable Object> list(Iterable<?> values) {
    List<@Nullable Object> list = new ArrayList<>();
    values.forEach(value -> list.add(plain(value)));
    return list;
  }

  private static Map<String, @Nullable Object> object(Map<?, ?> map) {
    Map<String, @Nullable Object> object = new LinkedHashMap<>();
    map.forEach((key, value) -> object.put(String.valueOf(plain(key)), plain(value)));
    return object;
  }

  private static Map<String, @Nullable Object> object(Record fields) {
    Map<String, @Nullable Object> object = new LinkedHashMap<>();
    for (RecordComponent component : fields.getClass().getRecordComponents()) {
      try {
        object.put(snakeCase(component.getName()), plain(component.getAccessor().invoke(fields)));
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException("%s cannot be read".formatted(component), e);
      }
    }
    return object;
  }

  private static String snakeCase(String name) {
    return name.replaceAll("([a-z0-9])([A-Z])", "$1_$2").toLowerCase(Locale.ROOT);
  }
}
