// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.checkpoint.archive.TensorRef;
import org.relaydiffusion.checkpoint.pickle.InertName;
import org.relaydiffusion.checkpoint.pickle.InertObject;
import org.relaydiffusion.checkpoint.pickle.PyNone;
import org.relaydiffusion.checkpoint.pickle.Tuple;
import org.relaydiffusion.checkpoint.pickle.Values;

/**
 * Converts settings from a pickle to plain Java values. One instance is used per file: it bounds
 * the total number of values and characters, because a small pickle can refer to the same large
 * value or string many times.
 */
final class PlainValues {
  static final int DEEPEST = 16;
  static final int MOST_VALUES = 500_000;
  static final int MOST_TEXT = 4_000_000;

  /** Values that are allowed in addition to plain ones. */
  private enum Beside {
    NOTHING,
    TENSORS,
    /** Anything except tensors, by its description if it has no better representation. */
    ANYTHING
  }

  private final Beside beside;
  private int values;
  private long text;
  private int inert;

  private PlainValues(Beside beside) {
    this.beside = beside;
  }

  /** Converts plain values only, for values that are used. */
  static PlainValues strict() {
    return new PlainValues(Beside.NOTHING);
  }

  /** Converts plain values and tensors. */
  static PlainValues withTensors() {
    return new PlainValues(Beside.TENSORS);
  }

  /**
   * Converts values that are only displayed: objects of unknown classes become {@link InertValue};
   * tensors in these, and all other values in containers, become descriptions in angle brackets.
   */
  static PlainValues shown() {
    return new PlainValues(Beside.ANYTHING);
  }

  /** Thrown if a value is not a plain one. */
  static final class NotPlainException extends Exception {
    private static final long serialVersionUID = 1L;

    NotPlainException(String what) {
      super(what, null, false, false);
    }
  }

  /** Converts to a String, Long, BigInteger, Double, Boolean, null, or a list or map of these. */
  @Nullable Object of(Object value) throws NotPlainException {
    return plain(value, 0);
  }

  /** Converts a dictionary with string keys. */
  Map<String, @Nullable Object> map(Object value) throws NotPlainException {
    if (value instanceof Map<?, ?> map) {
      return map(map, 0);
    }
    throw new NotPlainException("%s is not a dictionary".formatted(Values.show(value)));
  }

  private @Nullable Object plain(Object value, int depth) throws NotPlainException {
    if (++values > MOST_VALUES || depth > DEEPEST) {
      throw new NotPlainException(
          "has more than %s values or %s levels".formatted(MOST_VALUES, DEEPEST));
    }
    return switch (value) {
      case PyNone _ -> null;
      case String s -> counted(s);
      case Long _, Double _, Boolean _ -> value;
      case BigInteger n -> {
        count(n.bitLength() / 3);
        yield n;
      }
      case Collection<?> items -> list(items, depth);
      case Tuple tuple -> list(tuple.items(), depth);
      case Map<?, ?> map -> map(map, depth);
      case TensorRef tensor when beside == Beside.TENSORS -> new StoredTensor(tensor);
      case InertName name when beside == Beside.ANYTHING -> described(name);
      case InertObject object when beside == Beside.ANYTHING -> inert(object, depth);
      default -> {
        boolean shown = beside == Beside.ANYTHING && depth > 0;
        if (!shown || (value instanceof TensorRef && inert == 0)) {
          throw new NotPlainException("contains " + Values.show(value));
        }
        yield described(value);
      }
    };
  }

  private InertValue inert(InertObject object, int depth) throws NotPlainException {
    inert++;
    List<@Nullable Object> arguments = list(object.args(), depth);
    Map<String, @Nullable Object> attributes = map(object.keywords(), depth);
    if (object.items() != null) {
      arguments.add(plain(object.items(), depth + 1));
    }
    if (object.entries() != null) {
      arguments.add(plain(object.entries(), depth + 1));
    }
    if (object.state() instanceof Map<?, ?> state) {
      attributes.putAll(map(state, depth));
    } else if (object.state() != null) {
      arguments.add(plain(object.state(), depth + 1));
    }
    inert--;
    return new InertValue(counted(object.type().toString()), arguments, attributes);
  }

  private String described(Object value) throws NotPlainException {
    return counted("<" + Values.show(value) + ">");
  }

  private String counted(String s) throws NotPlainException {
    count(s.length());
    return s;
  }

  private void count(long characters) throws NotPlainException {
    text += characters;
    if (text > MOST_TEXT) {
      throw new NotPlainException("has strings with more than %s characters".formatted(MOST_TEXT));
    }
  }

  private List<@Nullable Object> list(Collection<?> items, int depth) throws NotPlainException {
    List<@Nullable Object> plain = new ArrayList<>();
    for (Object item : items) {
      plain.add(plain(item, depth + 1));
    }
    return plain;
  }

  private Map<String, @Nullable Object> map(Map<?, ?> map, int depth) throws NotPlainException {
    Map<String, @Nullable Object> plain = new LinkedHashMap<>();
    for (Map.Entry<?, ?> e : map.entrySet()) {
      plain.put(key(e.getKey()), plain(e.getValue(), depth + 1));
    }
    return plain;
  }

  private String key(Object key) throws NotPlainException {
    if (key instanceof String s) {
      return counted(s);
    }
    if (beside == Beside.ANYTHING) {
      return counted(Values.show(key));
    }
    throw new NotPlainException("has the key %s, expected a string".formatted(Values.show(key)));
  }
}
