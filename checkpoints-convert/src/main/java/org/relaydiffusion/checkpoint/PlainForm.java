// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.Printable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.model.safetensors.TensorSource;
import org.relaydiffusion.torch.TensorData;

/**
 * Converts plain values and tensors for a pickle: the inverse of {@link PlainValues}, with the same
 * limits, so that everything written can be read. One instance is used per file.
 */
final class PlainForm {
  /** A longer text would not be decoded by the reader. */
  private static final int LONGEST_TEXT = 1 << 16;

  private int values;

  /**
   * Returns the value for a pickle.
   *
   * @param name for messages
   * @throws RdmException if it could not be read back
   */
  @Nullable Object of(String name, @Nullable Object value) {
    return form(name, value, 0);
  }

  private @Nullable Object form(String name, @Nullable Object value, int depth) {
    if (++values > PlainValues.MOST_VALUES || depth > PlainValues.DEEPEST) {
      throw new RdmException(
          "entry '%s' has more than %s values or %s levels"
              .formatted(Printable.of(name), PlainValues.MOST_VALUES, PlainValues.DEEPEST));
    }
    return switch (value) {
      case null -> null;
      case String text -> text(name, text);
      case Byte _, Short _, Integer _, Long _, BigInteger _, Float _, Double _, Boolean _ -> value;
      case TensorSource source -> source;
      case StoredTensor tensor -> TensorSources.of(tensor);
      case TensorData data -> TensorSource.of(data);
      case List<?> list -> {
        List<@Nullable Object> items = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
          items.add(form(name + "." + i, list.get(i), depth + 1));
        }
        yield items;
      }
      case Map<?, ?> map -> map(name, map, depth);
      default ->
          throw new RdmException(
              "entry '%s' is a %s, expected a plain value or a tensor"
                  .formatted(Printable.of(name), value.getClass().getSimpleName()));
    };
  }

  private Map<String, @Nullable Object> map(String name, Map<?, ?> map, int depth) {
    Map<String, @Nullable Object> entries = new LinkedHashMap<>();
    map.forEach((key, value) -> {
      if (!(key instanceof String text)) {
        throw new RdmException(
            "entry '%s' has a key that is not a string".formatted(Printable.of(name)));
      }
      entries.put(text(name, text), form(name + "." + text, value, depth + 1));
    });
    return entries;
  }

  private static String text(String name, String text) {
    if (text.getBytes(StandardCharsets.UTF_8).length > LONGEST_TEXT) {
      throw new RdmException(
          "entry '%s' has a string of more than %s bytes"
              .formatted(Printable.of(name), LONGEST_TEXT));
    }
    return text;
  }
}
