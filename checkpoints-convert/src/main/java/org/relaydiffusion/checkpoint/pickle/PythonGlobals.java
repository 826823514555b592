// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.relaydiffusion.checkpoint.pickle.Callable.Body;
import org.relaydiffusion.checkpoint.pickle.Callable.Kind;

/** The names of Python's standard library, numpy scalars, and the official code's wrapper. */
public final class PythonGlobals {
  private static final List<String> BUILTINS = List.of("builtins", "__builtin__");

  private final Map<GlobalName, Object> table = new HashMap<>();
  private final IdentityHashMap<LongText, ByteRange> decoded = new IdentityHashMap<>();
  private final PickleBudget budget;

  private PythonGlobals(PickleBudget budget) {
    this.budget = budget;
  }

  /** Returns a new table, to which the caller may add. */
  public static Map<GlobalName, Object> table(PickleBudget budget) {
    PythonGlobals globals = new PythonGlobals(budget);
    globals.addPython();
    globals.addNumpy();
    globals.add(
        "torch_utils.persistence",
        "_reconstruct_persistent_obj",
        Kind.FUNCTION,
        args -> {
          if (args.size() != 1 || !(args.getFirst() instanceof Map<?, ?> meta)) {
            throw new BadPickleException(
                "constructs a persistent object from something other than a dictionary");
          }
          return PersistentObject.of(meta);
        });
    return globals.table;
  }

  private void addPython() {
    add("collections", "OrderedDict", Kind.CLASS, this::dictionary);
    add("dnnlib.util", "EasyDict", Kind.CLASS, this::dictionary);
    add("_codecs", "encode", Kind.FUNCTION, this::encode);
    for (String module : BUILTINS) {
      add(module, "dict", Kind.CLASS, this::dictionary);
      add(module, "list", Kind.CLASS, args -> new ArrayList<>(items(args)));
      add(module, "tuple", Kind.CLASS, args -> new Tuple(items(args)));
      add(module, "set", Kind.CLASS, this::set);
      add(module, "frozenset", Kind.CLASS, this::set);
      add(module, "bytes", Kind.CLASS, PythonGlobals::bytes);
      add(module, "bytearray", Kind.CLASS, PythonGlobals::bytes);
      // The base class in protocols 0 and 1; constructing it has no effect.
      add(module, "object", Kind.FUNCTION, _ -> new Instance(new GlobalName(module, "object")));
    }
    add("copy_reg", "_reconstructor", Kind.FUNCTION, this::reconstruct);
    add("copyreg", "_reconstructor", Kind.FUNCTION, this::reconstruct);
  }

  private void addNumpy() {
    add("numpy", "dtype", Kind.CLASS, NumpyType::of);
    add("numpy", "ndarray", Kind.CLASS, _ -> new Instance(new GlobalName("numpy", "ndarray")));
    for (String core : List.of("numpy.core.multiarray", "numpy._core.multiarray")) {
      add(core, "scalar", Kind.FUNCTION, NumpyType::scalar);
      add(
          core,
          "_reconstruct",
          Kind.FUNCTION,
          _ -> new Instance(new GlobalName("numpy", "ndarray")));
    }
  }

  private void add(String module, String name, Kind kind, Body body) {
    GlobalName full = new GlobalName(module, name);
    table.put(full, new Callable(full, kind, body));
  }

  private Object dictionary(List<Object> args) {
    Map<Object, Object> map = new LinkedHashMap<>(4);
    if (args.isEmpty()) {
      return map;
    }
    if (args.getFirst() instanceof Map<?, ?> from && args.size() == 1) {
      budget.steps(from.size());
      map.putAll(from);
      return map;
    }
    for (Object pair : items(args)) {
      List<?> parts =
          pair instanceof Tuple t ? t.items() : pair instanceof List<?> l ? l : List.of();
      if (parts.size() != 2) {
        throw new BadPickleException("constructs a dictionary from something other than pairs");
      }
      map.put(Values.key(parts.get(0)), parts.get(1));
    }
    return map;
  }

  private Object set(List<Object> args) {
    Set<Object> set = new LinkedHashSet<>(4);
    for (Object item : items(args)) {
      set.add(Values.key(item));
    }
    return set;
  }

  private List<Object> items(List<Object> args) {
    if (args.isEmpty()) {
      return List.of();
    }
    if (args.size() == 1) {
      switch (args.getFirst()) {
        case Tuple tuple -> {
          budget.steps(tuple.size());
          return tuple.items();
        }
        case List<?> list -> {
          budget.steps(list.size());
          return List.copyOf(list);
        }
        default -> {}
      }
    }
    throw new BadPickleException(
        "constructs a container from %s".formatted(Values.show(args.getFirst())));
  }

  private static Object bytes(List<Object> args) {
    if (args.isEmpty()) {
      return new ByteRange(MemorySegment.NULL);
    }
    if (args.size() == 1 && args.getFirst() instanceof ByteRange range) {
      return range;
    }
    throw new BadPickleException(
        "constructs bytes from %s".formatted(Values.show(args.getFirst())));
  }

  /** Handles {@code _reconstructor(cls, object, None)} of protocols 0 and 1. */
  private Object reconstruct(List<Object> args) {
    if (args.size() == 3 && args.getFirst() instanceof InertName type) {
      budget.inertObject();
      Object base = args.get(2);
      List<Object> basis = base == PyNone.NONE ? List.of() : List.of(base);
      return new InertObject(type.name(), basis, Map.of());
    }
    if (args.size() == 3
        && args.getFirst() instanceof Callable type
        && type.kind() == Kind.CLASS
        && args.get(2) == PyNone.NONE) {
      return type.body().call(List.of());
    }
    throw new BadPickleException("reconstructs %s".formatted(Values.show(args)));
  }

  /**
   * Handles {@code _codecs.encode(text, 'latin1')}, with which protocols 0 to 2 write bytes as
   * text.
   */
  private Object encode(List<Object> args) {
    if (args.size() != 2 || !(args.get(1) instanceof String codec) || !codec.equals("latin1")) {
      throw new BadPickleException("encodes a string with an encoding other than latin1");
    }
    return switch (args.getFirst()) {
      case String text -> encode(text);
      case LongText text -> decoded.computeIfAbsent(text, this::encode);
      default -> throw new BadPickleException("encodes %s".formatted(Values.show(args.getFirst())));
    };
  }

  private ByteRange encode(String text) {
    budget.text(text.length());
    byte[] bytes = new byte[text.length()];
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) > 0xff) {
        throw new BadPickleException("has bytes written as text with a character above 255");
      }
      bytes[i] = (byte) text.charAt(i);
    }
    return new ByteRange(MemorySegment.ofArray(bytes).asReadOnly());
  }

  /** Characters up to 255 take one or two bytes of UTF-8, with C2 or C3 as the first of two. */
  private ByteRange encode(LongText text) {
    MemorySegment utf8 = text.utf8();
    long length = 0;
    for (long i = 0; i < utf8.byteSize(); i++) {
      length += (utf8.get(ValueLayout.JAVA_BYTE, i) & 0xc0) == 0x80 ? 0 : 1;
    }
    MemorySegment bytes = budget.decoded(length);
    long at = 0;
    for (long i = 0; i < utf8.byteSize(); i++) {
      int first = utf8.get(ValueLayout.JAVA_BYTE, i) & 0xff;
      int value = first;
      if (first >= 0x80) {
        int second = ++i < utf8.byteSize() ? utf8.get(ValueLayout.JAVA_BYTE, i) & 0xff : 0;
        if ((first != 0xc2 && first != 0xc3) || (second & 0xc0) != 0x80) {
          throw new BadPickleException("has bytes written as text with a character above 255");
        }
        value = (first & 0x3) << 6 | (second & 0x3f);
      }
      bytes.set(ValueLayout.JAVA_BYTE, at++, (byte) value);
    }
    return new ByteRange(bytes.asReadOnly());
  }
}
