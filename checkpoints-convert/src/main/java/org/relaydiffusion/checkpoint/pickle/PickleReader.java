// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;

/**
 * Python's unpickling machine, without Python: opcodes of protocols 0 to 5 build plain values, and
 * globals are looked up in a closed list.
 */
public final class PickleReader {
  private static final int NEWEST_PROTOCOL = 5;
  private static final int LONGEST_NAME = 256;

  private final PickleInput in;
  private final PickleBudget budget;
  private final Globals globals;
  private final PersistentIds persistentIds;
  private final Python2Strings strings;
  private final PickleStack stack = new PickleStack();
  private final PickleMemo memo = new PickleMemo();
  private boolean inert;

  private PickleReader(
      PickleInput in,
      PickleBudget budget,
      Globals globals,
      PersistentIds persistentIds,
      Python2Strings strings) {
    this.in = in;
    this.budget = budget;
    this.globals = globals;
    this.persistentIds = persistentIds;
    this.strings = strings;
  }

  /** How Python 2 strings are decoded, which may be text or bytes. */
  public enum Python2Strings {
    /** As ASCII text; anything else is an error. */
    ASCII,
    /** As text if short and ASCII, otherwise as a {@link ByteRange}. */
    ASCII_OR_BYTES
  }

  /** Maps names to values. */
  @FunctionalInterface
  public interface Globals {
    /**
     * Returns the value of a name: {@link InertName} for one that is allowed as an inert value, or
     * null if it is not allowed.
     */
    @Nullable Object get(GlobalName name);
  }

  /** Maps persistent ids to values. */
  @FunctionalInterface
  public interface PersistentIds {
    /**
     * Returns the value for an id.
     *
     * @param id of any type: it comes from the file
     * @throws BadPickleException if there is no value
     */
    Object load(Object id);

    /** For pickles without persistent ids. */
    static PersistentIds none() {
      return id -> {
        throw new BadPickleException(
            "has the persistent id %s, which is not allowed here".formatted(Values.show(id)));
      };
    }
  }

  /**
   * Reads one pickle and leaves {@code in} after its last byte.
   *
   * @param file for messages
   * @param what the name of the pickle in messages, such as {@code archive/data.pkl}
   * @param in positioned at the pickle
   * @param budget shared by all pickles of a file
   * @param globals every allowed name, with its value
   * @param persistentIds the values stored outside the pickle
   * @return the value; see the package description for its types
   * @throws FileException if the pickle is damaged or contains anything not allowed
   */
  public static Object read(
      Path file,
      String what,
      PickleInput in,
      PickleBudget budget,
      Map<GlobalName, Object> globals,
      PersistentIds persistentIds) {
    return read(file, what, in, budget, globals::get, persistentIds);
  }

  /** Reads as above, if names cannot be listed. */
  public static Object read(
      Path file,
      String what,
      PickleInput in,
      PickleBudget budget,
      Globals globals,
      PersistentIds persistentIds) {
    return read(file, what, in, budget, globals, persistentIds, Python2Strings.ASCII);
  }

  /** Reads as above, for a pickle in which Python 2 strings may be bytes. */
  public static Object read(
      Path file,
      String what,
      PickleInput in,
      PickleBudget budget,
      Globals globals,
      PersistentIds persistentIds,
      Python2Strings strings) {
    long start = in.position();
    try {
      return new PickleReader(in, budget, globals, persistentIds, strings).run();
    } catch (BadPickleException e) {
      throw new FileException(
          file, "%s, byte %s: %s".formatted(what, in.position() - start, e.getMessage()), e);
    }
  }

  private Object run() {
    while (true) {
      long offset = in.position();
      int opcode = in.u8();
      budget.steps(1);
      if (opcode == Opcode.STOP) {
        Object result = stack.pop();
        if (!stack.isEmpty()) {
          throw new BadPickleException("ends with values left over");
        }
        return result;
      }
      if (!simpleValue(opcode) && !container(opcode) && !object(opcode) && !memo(opcode, offset)) {
        throw new BadPickleException("has the unknown opcode 0x%02x".formatted(opcode));
      }
    }
  }

  private boolean simpleValue(int opcode) {
    switch (opcode) {
      case Opcode.NONE -> stack.push(PyNone.NONE);
      case Opcode.NEWTRUE -> stack.push(true);
      case Opcode.NEWFALSE -> stack.push(false);
      case Opcode.INT -> stack.push(Numbers.ofInt(in.line()));
      case Opcode.LONG -> stack.push(Numbers.ofLong(in.line()));
      case Opcode.BININT -> stack.push((long) in.i32());
      case Opcode.BININT1 -> stack.push((long) in.u8());
      case Opcode.BININT2 -> stack.push((long) in.u16());
      case Opcode.LONG1 -> stack.push(Numbers.ofBytes(in, in.u8()));
      case Opcode.LONG4 -> stack.push(Numbers.ofBytes(in, in.i32()));
      case Opcode.FLOAT -> stack.push(Numbers.ofFloat(in.line()));
      case Opcode.BINFLOAT -> stack.push(in.bigEndianDouble());
      case Opcode.STRING -> stack.push(Texts.quoted(in, budget));
      case Opcode.BINSTRING -> stack.push(string(in.i32()));
      case Opcode.SHORT_BINSTRING -> stack.push(string(in.u8()));
      case Opcode.UNICODE -> stack.push(Texts.rawUnicodeEscape(in, budget));
      case Opcode.BINUNICODE -> stack.push(Texts.utf8(in, in.u32(), budget));
      case Opcode.SHORT_BINUNICODE -> stack.push(Texts.utf8(in, in.u8(), budget));
      case Opcode.BINUNICODE8 -> stack.push(Texts.utf8(in, in.i64(), budget));
      case Opcode.BINBYTES -> stack.push(new ByteRange(in.take(in.u32())));
      case Opcode.SHORT_BINBYTES -> stack.push(new ByteRange(in.take(in.u8())));
      case Opcode.BINBYTES8, Opcode.BYTEARRAY8 -> stack.push(new ByteRange(in.take(in.i64())));
      default -> {
        return false;
      }
    }
    return true;
  }

  private Object string(long length) {
    return switch (strings) {
      case ASCII -> Texts.ascii(in, length, budget);
      case ASCII_OR_BYTES -> Texts.asciiOrBytes(in, length, budget);
    };
  }

  private boolean container(int opcode) {
    switch (opcode) {
      case Opcode.MARK -> stack.mark();
      case Opcode.POP -> stack.discard();
      case Opcode.POP_MARK -> stack.popToMark();
      case Opcode.DUP -> stack.push(stack.peek());
      case Opcode.EMPTY_LIST -> stack.push(new ArrayList<>(0));
      case Opcode.EMPTY_TUPLE -> stack.push(new Tuple(List.of()));
      case Opcode.EMPTY_DICT -> stack.push(new LinkedHashMap<>(2));
      case Opcode.EMPTY_SET -> stack.push(new LinkedHashSet<>(2));
      case Opcode.LIST -> stack.push(stack.popToMark());
      case Opcode.TUPLE -> stack.push(new Tuple(stack.popToMark()));
      case Opcode.TUPLE1 -> stack.push(new Tuple(popped(1)));
      case Opcode.TUPLE2 -> stack.push(new Tuple(popped(2)));
      case Opcode.TUPLE3 -> stack.push(new Tuple(popped(3)));
      case Opcode.DICT -> stack.push(put(new LinkedHashMap<>(), stack.popToMark()));
      case Opcode.FROZENSET -> stack.push(add(new LinkedHashSet<>(), stack.popToMark()));
      case Opcode.APPEND -> {
        Object item = stack.pop();
        list().add(item);
      }
      case Opcode.APPENDS -> {
        List<Object> items = stack.popToMark();
        list().addAll(items);
      }
      case Opcode.SETITEM -> {
        List<Object> pair = popped(2);
        put(map(), pair);
      }
      case Opcode.SETITEMS -> {
        List<Object> pairs = stack.popToMark();
        put(map(), pairs);
      }
      case Opcode.ADDITEMS -> {
        List<Object> items = stack.popToMark();
        if (stack.peek() instanceof InertObject object) {
          object.growItems().addAll(items);
        } else {
          add(set(), items);
        }
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  private boolean object(int opcode) {
    switch (opcode) {
      case Opcode.GLOBAL -> stack.push(global(in.line(), in.line()));
      case Opcode.STACK_GLOBAL -> {
        List<Object> names = popped(2);
        if (!(names.get(0) instanceof String module) || !(names.get(1) instanceof String name)) {
          throw new BadPickleException("names a global with something other than a string");
        }
        stack.push(global(module, name));
      }
      case Opcode.REDUCE -> {
        Object args = stack.pop();
        stack.push(call(stack.pop(), args));
      }
      case Opcode.NEWOBJ -> {
        Object args = stack.pop();
        stack.push(construct(stack.pop(), args, Map.of()));
      }
      case Opcode.NEWOBJ_EX -> {
        Object keywords = stack.pop();
        Object args = stack.pop();
        Object type = stack.pop();
        if (!(keywords instanceof Map<?, ?> map)) {
          throw new BadPickleException(
              "constructs %s with %s as keywords"
                  .formatted(Values.show(type), Values.show(keywords)));
        }
        stack.push(construct(type, args, map));
      }
      case Opcode.INST -> {
        Object type = global(in.line(), in.line());
        stack.push(construct(type, new Tuple(stack.popToMark()), Map.of()));
      }
      case Opcode.OBJ -> {
        List<Object> parts = stack.popToMark();
        if (parts.isEmpty()) {
          throw new BadPickleException("constructs an object without a class");
        }
        List<Object> args = List.copyOf(parts.subList(1, parts.size()));
        stack.push(construct(parts.getFirst(), new Tuple(args), Map.of()));
      }
      case Opcode.BUILD -> {
        Object state = stack.pop();
        build(stack.peek(), state);
      }
      case Opcode.PERSID -> stack.push(persistentIds.load(in.line()));
      case Opcode.BINPERSID -> stack.push(persistentIds.load(stack.pop()));
      case Opcode.EXT1, Opcode.EXT2, Opcode.EXT4 ->
          throw new BadPickleException("refers to Python's extension registry: not allowed");
      case Opcode.NEXT_BUFFER, Opcode.READONLY_BUFFER ->
          throw new BadPickleException("refers to a buffer outside the pickle");
      default -> {
        return false;
      }
    }
    return true;
  }

  private boolean memo(int opcode, long offset) {
    switch (opcode) {
      case Opcode.PROTO -> {
        int protocol = in.u8();
        if (protocol > NEWEST_PROTOCOL) {
          throw new BadPickleException(
              "has protocol %s, the newest known is %s".formatted(protocol, NEWEST_PROTOCOL));
        }
      }
      case Opcode.FRAME -> {
        long length = in.i64();
        if (length < 0 || length > in.remaining()) {
          throw new BadPickleException(
              "declares a frame of %s bytes, but only %s are left"
                  .formatted(Long.toUnsignedString(length), in.remaining()));
        }
      }
      case Opcode.PUT -> memo.put(index(), stack.peek(), offset);
      case Opcode.BINPUT -> memo.put(in.u8(), stack.peek(), offset);
      case Opcode.LONG_BINPUT -> memo.put(in.u32(), stack.peek(), offset);
      case Opcode.MEMOIZE -> memo.append(stack.peek(), offset);
      case Opcode.GET -> stack.push(memo.get(index()));
      case Opcode.BINGET -> stack.push(memo.get(in.u8()));
      case Opcode.LONG_BINGET -> stack.push(memo.get(in.u32()));
      default -> {
        return false;
      }
    }
    return true;
  }

  private long index() {
    return Numbers.ofInt(in.line()) instanceof Long index ? index : -1;
  }

  private List<Object> popped(int count) {
    Object[] items = new Object[count];
    for (int i = count - 1; i >= 0; i--) {
      items[i] = stack.pop();
    }
    return List.of(items);
  }

  private Object global(String module, String name) {
    if (module.length() > LONGEST_NAME || name.length() > LONGEST_NAME) {
      throw new BadPickleException("names a global with more than 256 characters");
    }
    GlobalName full = new GlobalName(module, name);
    Object value = globals.get(full);
    if (value == null) {
      throw new BadPickleException(InertName.refusal(full));
    }
    inert |= value instanceof InertName;
    return value;
  }

  private Object call(Object function, Object args) {
    if (args instanceof Tuple tuple) {
      if (function instanceof Callable callable) {
        return called(callable, tuple.items());
      }
      if (function instanceof InertName name) {
        return inertObject(name, tuple.items(), Map.of());
      }
    }
    throw new BadPickleException(
        "calls %s with %s".formatted(Values.show(function), Values.show(args)));
  }

  private Object called(Callable callable, List<Object> args) {
    Object result = callable.body().call(args);
    boolean holdsArguments =
        result instanceof Map
            || result instanceof Collection
            || result instanceof Tuple
            || result instanceof PersistentObject
            || result instanceof InertObject;
    if (!holdsArguments) {
      refuseInert(new Tuple(args));
    }
    return result;
  }

  private Object construct(Object type, Object args, Map<?, ?> keywords) {
    if (type instanceof InertName name && args instanceof Tuple tuple) {
      return inertObject(name, tuple.items(), keywords);
    }
    if (!(type instanceof Callable callable) || callable.kind() != Callable.Kind.CLASS) {
      throw new BadPickleException("constructs an object of %s".formatted(Values.show(type)));
    }
    if (!keywords.isEmpty()) {
      throw new BadPickleException("constructs %s with keywords".formatted(Values.show(type)));
    }
    return call(callable, args);
  }

  private InertObject inertObject(InertName name, List<Object> args, Map<?, ?> keywords) {
    budget.inertObject();
    return new InertObject(name.name(), args, keywords);
  }

  /**
   * Rejects unknown names in values that are not kept, for which it cannot be determined later
   * whether they are beside a network or in it.
   */
  private void refuseInert(Object dropped) {
    if (inert) {
      InertSearch.find(dropped, budget)
          .ifPresent(name -> {
            throw new BadPickleException(InertName.refusal(name));
          });
    }
  }

  private void build(Object object, Object state) {
    switch (object) {
      case Buildable buildable -> buildable.build(state);
      // OrderedDict has attributes (PyTorch's _metadata) beside its entries, which are not needed.
      case Map<?, ?> _ when state instanceof Map<?, ?> -> refuseInert(state);
      default ->
          throw new BadPickleException(
              "sets the state of %s to %s".formatted(Values.show(object), Values.show(state)));
    }
  }

  // The casts below are to containers created only by this package, all of Object.

  @SuppressWarnings("unchecked")
  private List<Object> list() {
    if (stack.peek() instanceof ArrayList<?> list) {
      return (List<Object>) list;
    }
    if (stack.peek() instanceof InertObject object) {
      return object.growItems();
    }
    throw new BadPickleException("appends to %s".formatted(Values.show(stack.peek())));
  }

  @SuppressWarnings("unchecked")
  private Map<Object, Object> map() {
    if (stack.peek() instanceof Map<?, ?> map) {
      return (Map<Object, Object>) map;
    }
    if (stack.peek() instanceof InertObject object) {
      return object.growEntries();
    }
    throw new BadPickleException("sets an item of %s".formatted(Values.show(stack.peek())));
  }

  @SuppressWarnings("unchecked")
  private Set<Object> set() {
    if (stack.peek() instanceof Set<?> set) {
      return (Set<Object>) set;
    }
    throw new BadPickleException("adds to %s".formatted(Values.show(stack.peek())));
  }

  private static Map<Object, Object> put(Map<Object, Object> map, List<Object> pairs) {
    if (pairs.size() % 2 != 0) {
      throw new BadPickleException("sets items with a key that has no value");
    }
    for (int i = 0; i < pairs.size(); i += 2) {
      map.put(Values.key(pairs.get(i)), pairs.get(i + 1));
    }
    return map;
  }

  private static Set<Object> add(Set<Object> set, List<Object> items) {
    for (Object item : items) {
      set.add(Values.key(item));
    }
    return set;
  }
}
