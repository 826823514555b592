package org.relaydiffusion.checkpoint;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.checkpoint.archive.TensorRef;
import org.relaydiffusion.checkpoint.pickle.PyNone;
import org.relaydiffusion.checkpoint.pickle.Tuple;
import org.relaydiffusion.checkpoint.pickle.Values;

/**
 * Turns settings from a pickle into plain Java values. One instance serves one file: it bounds what
 * comes out of it altogether, as a small pickle can refer to the same large value many times.
 */
final class PlainValues {
  static final int DEEPEST = 16;
  static final int MOST_VALUES = 500_000;

  private final Leaves leaves;
  private int values;

  /** Knows plain values alone. */
  PlainValues() {
    this(value -> {
      throw new NotPlainException("holds " + Values.show(value));
    });
  }

  private PlainValues(Leaves leaves) {
    this.leaves = leaves;
  }

  /** Knows tensors beside plain values. */
  static PlainValues withTensors() {
    return new PlainValues(value -> {
      if (value instanceof TensorRef tensor) {
        return new StoredTensor(tensor);
      }
      throw new NotPlainException("holds " + Values.show(value));
    });
  }

  /** Turns what is neither simple nor a container. */
  @FunctionalInterface
  private interface Leaves {
    Object of(Object value) throws NotPlainException;
  }

  /** Signals that a value is no plain one. */
  static final class NotPlainException extends Exception {
    private static final long serialVersionUID = 1L;

    NotPlainException(String what) {
      super(what, null, false, false);
    }
  }

  /** A String, Long, BigInteger, Double, Boolean, null, or a list or map of these. */
  @Nullable Object of(Object value) throws NotPlainException {
    return plain(value, 0);
  }

  /** A dictionary with text as keys. */
  Map<String, @Nullable Object> map(Object value) throws NotPlainException {
    if (value instanceof Map<?, ?> map) {
      return map(map, 0);
    }
    throw new NotPlainException("%s is no dictionary".formatted(Values.show(value)));
  }

  private @Nullable Object plain(Object value, int depth) throws NotPlainException {
    if (++values > MOST_VALUES || depth > DEEPEST) {
      throw new NotPlainException(
          "has more than %s values or %s levels".formatted(MOST_VALUES, DEEPEST));
    }
    return switch (value) {
      case PyNone _ -> null;
      case String _, Long _, Double _, Boolean _, BigInteger _ -> value;
      case Collection<?> items -> list(items, depth);
      case Tuple tuple -> list(tuple.items(), depth);
      case Map<?, ?> map -> map(map, depth);
      default -> leaves.of(value);
    };
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
      if (!(e.getKey() instanceof String key)) {
        throw new NotPlainException(
            "has the key %s, expected text".formatted(Values.show(e.getKey())));
      }
      plain.put(key, plain(e.getValue(), depth + 1));
    }
    return plain;
  }
}
