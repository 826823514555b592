package org.relaydiffusion.diffusion.data.convert;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.relaydiffusion.Printable;

/**
 * Reads the one kind of pickle that CIFAR-10's Python archive consists of: a dictionary of lists
 * and one array of bytes, written by Python 2 with protocol 2 or 3. Only what occurs there is
 * known; every other opcode and every other name is refused, and nothing is executed. Work and
 * memory are in proportion to the pickle's length.
 */
final class CifarPickle {
  private static final Object MARK = new Object();
  private static final Object NONE = new Object();

  private final ByteBuffer in;
  private final List<Object> stack = new ArrayList<>();
  private final Map<Integer, Object> memo = new HashMap<>();

  private CifarPickle(byte[] pickle) {
    this.in = ByteBuffer.wrap(pickle).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The names that may occur. */
  private enum Global {
    RECONSTRUCT,
    NDARRAY,
    DTYPE
  }

  /** A numpy type, named by its code such as {@code u1}. */
  private record Type(String code) {}

  private record Tuple(List<Object> items) {}

  /** An array, filled in by the opcode after the one that makes it. */
  private static final class ArrayInMaking {
    private byte[] data = {};
  }

  /** A pickle that is not what was expected. */
  static final class BadPickle extends Exception {
    private static final long serialVersionUID = 1L;

    BadPickle(String what) {
      super(what);
    }
  }

  /**
   * Reads a pickle.
   *
   * @return the dictionary: texts are {@link String}, whole numbers {@link Integer}, lists {@link
   *     List}, and arrays of bytes {@code byte[]}
   */
  static Map<String, Object> read(byte[] pickle) throws BadPickle {
    CifarPickle reader = new CifarPickle(pickle);
    try {
      return reader.run();
    } catch (BufferUnderflowException e) {
      throw new BadPickle("it is cut off");
    } catch (BadPickle e) {
      throw new BadPickle("%s (byte %s)".formatted(e.getMessage(), reader.in.position()));
    }
  }

  private Map<String, Object> run() throws BadPickle {
    while (true) {
      int opcode = in.get() & 0xff;
      if (opcode == '.') {
        Map<String, Object> result = new HashMap<>();
        for (Map.Entry<?, ?> entry : dictionary(pop()).entrySet()) {
          Object value = entry.getValue();
          result.put(
              text(entry.getKey()), value instanceof ArrayInMaking array ? array.data : value);
        }
        return result;
      }
      if (!value(opcode) && !structure(opcode)) {
        throw new BadPickle("the opcode 0x%02x has no place here".formatted(opcode));
      }
    }
  }

  private boolean value(int opcode) throws BadPickle {
    switch (opcode) {
      case 'N' -> push(NONE);
      case 0x88 -> push(true);
      case 0x89 -> push(false);
      case 'K' -> push(in.get() & 0xff);
      case 'M' -> push(in.getShort() & 0xffff);
      case 'J' -> push(in.getInt());
      case 'U', 'C' -> push(bytes(in.get() & 0xff));
      case 'T', 'B', 'X' -> push(bytes(in.getInt()));
      case '}' -> push(new HashMap<>());
      case ']' -> push(new ArrayList<>());
      case ')' -> push(new Tuple(List.of()));
      case 'c' -> push(global(line(), line()));
      default -> {
        return false;
      }
    }
    return true;
  }

  private boolean structure(int opcode) throws BadPickle {
    switch (opcode) {
      case 0x80 -> {
        int protocol = in.get();
        if (protocol < 2 || protocol > 3) {
          throw new BadPickle("its protocol is %s, expected 2 or 3".formatted(protocol));
        }
      }
      case '(' -> push(MARK);
      case 'q' -> memo.put(in.get() & 0xff, peek());
      case 'r' -> memo.put(in.getInt(), peek());
      case 'h' -> push(remembered(in.get() & 0xff));
      case 'j' -> push(remembered(in.getInt()));
      case 't' -> push(new Tuple(popToMark()));
      case 0x85, 0x86, 0x87 -> push(new Tuple(popped(opcode - 0x84)));
      case 'a' -> {
        Object item = pop();
        list(peek()).add(item);
      }
      case 'e' -> {
        List<Object> items = popToMark();
        list(peek()).addAll(items);
      }
      case 's' -> put(popped(2));
      case 'u' -> put(popToMark());
      case 'R' -> {
        List<Object> call = popped(2);
        push(call(call.get(0), tuple(call.get(1))));
      }
      case 'b' -> {
        Object state = pop();
        build(peek(), state);
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  private static Object call(Object function, List<Object> args) throws BadPickle {
    if (function == Global.RECONSTRUCT && args.size() == 3 && args.getFirst() == Global.NDARRAY) {
      return new ArrayInMaking();
    }
    if (function == Global.DTYPE && !args.isEmpty()) {
      return new Type(text(args.getFirst()));
    }
    throw new BadPickle("it calls something that is no array");
  }

  /** An array's state is (1, shape, type, columns first, bytes); a type's adds nothing for u1. */
  private static void build(Object target, Object state) throws BadPickle {
    if (target instanceof Type) {
      return;
    }
    List<Object> parts = tuple(state);
    if (!(target instanceof ArrayInMaking array)
        || parts.size() != 5
        || !(parts.get(2) instanceof Type type)
        || !type.code().equals("u1")
        || !Boolean.FALSE.equals(parts.get(3))
        || !(parts.get(4) instanceof byte[] data)) {
      throw new BadPickle("it has an array that is not one of bytes, row by row");
    }
    long size = 1;
    for (Object side : tuple(parts.get(1))) {
      if (!(side instanceof Integer length) || length < 0 || size * length > data.length) {
        throw new BadPickle("it has an array with fewer bytes than its shape needs");
      }
      size *= length;
    }
    if (size != data.length) {
      throw new BadPickle("it has an array with more bytes than its shape needs");
    }
    array.data = data;
  }

  private static Global global(String module, String name) throws BadPickle {
    return switch (module + "." + name) {
      case "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct" ->
          Global.RECONSTRUCT;
      case "numpy.ndarray" -> Global.NDARRAY;
      case "numpy.dtype" -> Global.DTYPE;
      default ->
          throw new BadPickle(
              "the name %s has no place here".formatted(Printable.of(module + "." + name)));
    };
  }

  private byte[] bytes(int length) throws BadPickle {
    if (length < 0 || length > in.remaining()) {
      throw new BadPickle(
          "it claims %s bytes where %s are left"
              .formatted(Integer.toUnsignedString(length), in.remaining()));
    }
    byte[] bytes = new byte[length];
    in.get(bytes);
    return bytes;
  }

  private String line() {
    StringBuilder line = new StringBuilder();
    for (byte b = in.get(); b != '\n'; b = in.get()) {
      line.append((char) (b & 0xff));
    }
    return line.toString();
  }

  private void push(Object value) {
    stack.add(value);
  }

  private Object peek() throws BadPickle {
    if (stack.isEmpty()) {
      throw new BadPickle("a value is missing");
    }
    return stack.getLast();
  }

  private Object pop() throws BadPickle {
    Object value = peek();
    stack.removeLast();
    return value;
  }

  private List<Object> popped(int count) throws BadPickle {
    List<Object> items = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      items.addFirst(pop());
    }
    return items;
  }

  private List<Object> popToMark() throws BadPickle {
    int mark = stack.lastIndexOf(MARK);
    if (mark < 0) {
      throw new BadPickle("a mark is missing");
    }
    List<Object> items = new ArrayList<>(stack.subList(mark + 1, stack.size()));
    stack.subList(mark, stack.size()).clear();
    return items;
  }

  private Object remembered(int index) throws BadPickle {
    Object value = memo.get(index);
    if (value == null) {
      throw new BadPickle("value %s is missing".formatted(index));
    }
    return value;
  }

  private void put(List<Object> pairs) throws BadPickle {
    Map<Object, Object> map = dictionary(peek());
    if (pairs.size() % 2 != 0) {
      throw new BadPickle("a key has no value");
    }
    for (int i = 0; i < pairs.size(); i += 2) {
      map.put(text(pairs.get(i)), pairs.get(i + 1));
    }
  }

  /** Python 2's texts and Python 3's are bytes alike in a pickle. */
  private static String text(Object value) throws BadPickle {
    if (value instanceof byte[] bytes && bytes.length < 256) {
      return new String(bytes, StandardCharsets.UTF_8);
    }
    if (value instanceof String text) {
      return text;
    }
    throw new BadPickle("a text is missing");
  }

  private static List<Object> tuple(Object value) throws BadPickle {
    if (value instanceof Tuple tuple) {
      return tuple.items();
    }
    throw new BadPickle("a tuple is missing");
  }

  // The casts below are to containers that only this class makes, all of Object.

  @SuppressWarnings("unchecked")
  private static List<Object> list(Object value) throws BadPickle {
    if (value instanceof ArrayList<?> list) {
      return (List<Object>) list;
    }
    throw new BadPickle("a list is missing");
  }

  @SuppressWarnings("unchecked")
  private static Map<Object, Object> dictionary(Object value) throws BadPickle {
    if (value instanceof HashMap<?, ?> map) {
      return (Map<Object, Object>) map;
    }
    throw new BadPickle("a dictionary is missing");
  }
}
