// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

import java.io.IOException;
import java.io.OutputStream;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;

/**
 * Python's pickling machine, without Python: writes values of this package as a pickle that
 * Python's {@code pickle} can load.
 *
 * <p>Values are {@link String}, any Java integer, {@link Double}, {@link Float}, {@link Boolean},
 * null or {@link PyNone}, {@link List}, {@link Tuple}, {@link Map}, {@link Set}, {@link GlobalName}
 * (a class or function itself) and {@link PickleForm}. Strings and names are written once and
 * referred to afterwards; containers are written each time they occur.
 */
public final class PickleWriter {
  private static final int DEEPEST = 100;
  private static final int LONGEST_SHARED_TEXT = 256;

  private final OutputStream out;
  private final Protocol protocol;
  private final UnaryOperator<Object> lowering;
  private final Map<Object, Integer> memo = new HashMap<>();
  private int depth;

  /** A version of the format. */
  public enum Protocol {
    /**
     * The version used by {@code torch.save}. It has no byte strings: {@link PickleForm.Bytes}
     * fails.
     */
    TWO(2),
    /** The first version with byte strings of any length: Python 3.4. */
    FOUR(4);

    private final int number;

    Protocol(int number) {
      this.number = number;
    }
  }

  private PickleWriter(OutputStream out, Protocol protocol, UnaryOperator<Object> lowering) {
    this.out = out;
    this.protocol = protocol;
    this.lowering = lowering;
  }

  /**
   * Writes one pickle.
   *
   * @param out receives the pickle, in many small writes; left open
   * @param protocol the version
   * @param value of the types listed above, or of those supported by {@code lowering}
   * @param lowering converts a value of another type to one of these; only called for such values
   * @throws RdmException if a value is of an unsupported type, or nested too deeply
   */
  public static void write(
      OutputStream out, Protocol protocol, @Nullable Object value, UnaryOperator<Object> lowering)
      throws IOException {
    PickleWriter writer = new PickleWriter(out, protocol, lowering);
    out.write(Opcode.PROTO);
    out.write(protocol.number);
    writer.put(value);
    out.write(Opcode.STOP);
  }

  /**
   * Writes as {@link #write(OutputStream, Protocol, Object, UnaryOperator)}, with the listed types
   * only.
   */
  public static void write(OutputStream out, Protocol protocol, @Nullable Object value)
      throws IOException {
    write(
        out,
        protocol,
        value,
        unknown -> {
          throw new RdmException(
              "a %s cannot be written to a pickle".formatted(unknown.getClass().getSimpleName()));
        });
  }

  private void put(@Nullable Object value) throws IOException {
    if (++depth > DEEPEST) {
      throw new RdmException(
          "a value nested more than %s levels cannot be written to a pickle".formatted(DEEPEST));
    }
    switch (value) {
      case null -> out.write(Opcode.NONE);
      case PyNone _ -> out.write(Opcode.NONE);
      case Boolean b -> out.write(b ? Opcode.NEWTRUE : Opcode.NEWFALSE);
      case Byte n -> whole(n);
      case Short n -> whole(n);
      case Integer n -> whole(n);
      case Long n -> whole(n);
      case BigInteger n -> big(n);
      case Float f -> real(f);
      case Double d -> real(d);
      case String text -> text(text);
      case GlobalName name -> global(name);
      case Tuple tuple -> tuple(tuple.items());
      case List<?> list -> list(list);
      case Map<?, ?> map -> map(map);
      case Set<?> set -> set(set);
      case PickleForm form -> form(form);
      default -> put(lowering.apply(value));
    }
    depth--;
  }

  private void whole(long n) throws IOException {
    if (n >= 0 && n <= 0xff) {
      out.write(Opcode.BININT1);
      out.write((int) n);
    } else if (n >= 0 && n <= 0xffff) {
      out.write(Opcode.BININT2);
      little(n, 2);
    } else if (n == (int) n) {
      out.write(Opcode.BININT);
      little(n, 4);
    } else {
      big(BigInteger.valueOf(n));
    }
  }

  private void big(BigInteger n) throws IOException {
    byte[] bytes = n.toByteArray();
    if (bytes.length > 0xff) {
      throw new RdmException(
          "a number of %s bits cannot be written to a pickle".formatted(n.bitLength()));
    }
    out.write(Opcode.LONG1);
    out.write(bytes.length);
    for (int i = bytes.length - 1; i >= 0; i--) {
      out.write(bytes[i]);
    }
  }

  private void real(double d) throws IOException {
    out.write(Opcode.BINFLOAT);
    // The only big-endian number in a pickle.
    little(Long.reverseBytes(Double.doubleToLongBits(d)), 8);
  }

  private void text(String text) throws IOException {
    if (known(text)) {
      return;
    }
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    out.write(Opcode.BINUNICODE);
    little(utf8.length, 4);
    out.write(utf8);
    if (text.length() <= LONGEST_SHARED_TEXT) {
      remember(text);
    }
  }

  private void global(GlobalName name) throws IOException {
    if (known(name)) {
      return;
    }
    out.write(Opcode.GLOBAL);
    out.write((name.module() + "\n" + name.name() + "\n").getBytes(StandardCharsets.UTF_8));
    remember(name);
  }

  /** Refers to a string or name that was written before. */
  private boolean known(Object value) throws IOException {
    Integer index = memo.get(value);
    if (index != null) {
      index(Opcode.BINGET, Opcode.LONG_BINGET, index);
    }
    return index != null;
  }

  private void remember(Object value) throws IOException {
    int index = memo.size();
    memo.put(value, index);
    index(Opcode.BINPUT, Opcode.LONG_BINPUT, index);
  }

  private void index(int shortForm, int longForm, int index) throws IOException {
    out.write(index <= 0xff ? shortForm : longForm);
    little(index, index <= 0xff ? 1 : 4);
  }

  private void tuple(List<? extends @Nullable Object> items) throws IOException {
    if (items.isEmpty()) {
      out.write(Opcode.EMPTY_TUPLE);
      return;
    }
    if (items.size() > 3) {
      out.write(Opcode.MARK);
    }
    for (Object item : items) {
      put(item);
    }
    out.write(
        switch (items.size()) {
          case 1 -> Opcode.TUPLE1;
          case 2 -> Opcode.TUPLE2;
          case 3 -> Opcode.TUPLE3;
          default -> Opcode.TUPLE;
        });
  }

  private void list(List<?> list) throws IOException {
    out.write(Opcode.EMPTY_LIST);
    if (!list.isEmpty()) {
      out.write(Opcode.MARK);
      for (Object item : list) {
        put(item);
      }
      out.write(Opcode.APPENDS);
    }
  }

  private void map(Map<?, ?> map) throws IOException {
    out.write(Opcode.EMPTY_DICT);
    if (!map.isEmpty()) {
      out.write(Opcode.MARK);
      for (Map.Entry<?, ?> e : map.entrySet()) {
        put(e.getKey());
        put(e.getValue());
      }
      out.write(Opcode.SETITEMS);
    }
  }

  private void set(Set<?> set) throws IOException {
    if (protocol == Protocol.TWO) {
      // Python 2's name for it, which Python 3 accepts in this protocol.
      put(new PickleForm.Call(new GlobalName("__builtin__", "set"), List.of(List.copyOf(set))));
      return;
    }
    out.write(Opcode.EMPTY_SET);
    if (!set.isEmpty()) {
      out.write(Opcode.MARK);
      for (Object item : set) {
        put(item);
      }
      out.write(Opcode.ADDITEMS);
    }
  }

  private void form(PickleForm form) throws IOException {
    switch (form) {
      case PickleForm.Call call -> {
        global(call.function());
        tuple(call.args());
        out.write(Opcode.REDUCE);
      }
      case PickleForm.NewObject object -> {
        global(object.type());
        out.write(Opcode.EMPTY_TUPLE);
        out.write(Opcode.NEWOBJ);
        put(object.state());
        out.write(Opcode.BUILD);
      }
      case PickleForm.PersistentId outside -> {
        put(outside.id());
        out.write(Opcode.BINPERSID);
      }
      case PickleForm.Bytes bytes -> bytes(bytes);
    }
  }

  private void bytes(PickleForm.Bytes bytes) throws IOException {
    if (protocol == Protocol.TWO) {
      throw new RdmException("protocol 2 has no byte strings");
    }
    out.write(Opcode.BINBYTES8);
    little(bytes.length(), 8);
    bytes.body().writeTo(out);
  }

  private void little(long value, int bytes) throws IOException {
    for (int i = 0; i < bytes; i++) {
      out.write((int) (value >>> (8 * i)));
    }
  }
}
