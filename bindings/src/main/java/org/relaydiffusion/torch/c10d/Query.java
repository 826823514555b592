// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.c10d;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The requests of {@code TCPStore}'s wire format with their fields. The ordinal is the number on
 * the wire.
 */
enum Query {
  /** The magic number; no answer. */
  VALIDATE(Field.INT),
  /** Sets a value; no answer. */
  SET(Field.KEY, Field.VALUE),
  /** Sets a value if the present one is the expected one; answers the value afterwards. */
  COMPARE_SET(Field.KEY, Field.VALUE, Field.VALUE),
  /** Answers a value, an empty one for a key that has none. */
  GET(Field.KEY),
  /** Adds to a decimal number; answers the sum. */
  ADD(Field.KEY, Field.LONG),
  /** Answers whether all keys have values: 0 if so, else 1. */
  CHECK(Field.KEYS),
  /** Answers 0 as soon as all keys have values. */
  WAIT(Field.KEYS),
  /** Answers how many keys have values. */
  GETNUMKEYS,
  /** Answers how many values were deleted, 0 or 1. */
  DELETE_KEY(Field.KEY),
  /** Appends to a value; no answer. */
  APPEND(Field.KEY, Field.VALUE),
  /** Answers several values. */
  MULTI_GET(Field.KEYS),
  /** Sets several values; no answer. */
  MULTI_SET(Field.PAIRS),
  /** Ends the connection's WAIT; answers 1. */
  CANCEL_WAIT,
  /** Answers the number. */
  PING(Field.INT),
  /** Appends to a queue; no answer. */
  QUEUE_PUSH(Field.KEY, Field.VALUE),
  /** Answers the length of the queue and, unless it is 0, its first element, which it loses. */
  QUEUE_POP(Field.KEY),
  /** Answers the length of a queue. */
  QUEUE_LEN(Field.KEY),
  /** Answers the number of keys, and the keys. */
  LIST_KEYS,
  /** Counts; answers 0 as soon as the count is as high as the number. */
  BARRIER(Field.KEY, Field.LONG);

  /** What VALIDATE says. */
  static final int MAGIC = 0x3C85F7CE;

  /** Answers of CHECK. */
  static final byte READY = 0;

  static final byte NOT_READY = 1;

  /** Answers of WAIT and CANCEL_WAIT. */
  static final byte STOP_WAITING = 0;

  static final byte WAIT_CANCELED = 1;

  /** The longest key and value, and the most keys of a request, as LibTorch's own server has it. */
  static final int LONGEST_KEY = 8 << 10;

  static final int LONGEST_VALUE = 8 << 20;
  static final int MOST_KEYS = 128 << 10;

  /** The most bytes of one request: two of the longest values and their key fit in well. */
  static final int LONGEST_REQUEST = 32 << 20;

  private static final List<Query> ALL = List.of(values());

  @SuppressWarnings("ImmutableEnumChecker") // List.of is.
  private final List<Field> fields;

  Query(Field... fields) {
    this.fields = List.of(fields);
  }

  private enum Field {
    INT,
    LONG,
    KEY,
    VALUE,
    KEYS,
    PAIRS
  }

  @SuppressWarnings("EnumOrdinal") // It is the number on the wire.
  byte code() {
    return (byte) ordinal();
  }

  /**
   * The request at the beginning of what has come.
   *
   * @throws ProtocolException if there is none of this number
   */
  static Query at(ByteBuffer in) throws ProtocolException {
    int code = Byte.toUnsignedInt(in.get(in.position()));
    if (code >= ALL.size()) {
      throw new ProtocolException("there is no query " + code);
    }
    return ALL.get(code);
  }

  /**
   * How many bytes the request at the beginning of {@code in} has, its first byte included. Where
   * they have not all come yet, this is how many there must be at least before it is worth asking
   * again. Nothing is taken for granted that a client says: all sizes are checked here.
   *
   * @param in what has come; its position stays
   * @throws ProtocolException if a size is out of range
   */
  int size(ByteBuffer in) throws ProtocolException {
    Measure measure = new Measure(in);
    for (Field field : fields) {
      switch (field) {
        case INT -> measure.skip(Integer.BYTES);
        case LONG -> measure.skip(Long.BYTES);
        case KEY -> measure.sized(LONGEST_KEY);
        case VALUE -> measure.sized(LONGEST_VALUE);
        case KEYS -> measure.keys(1);
        case PAIRS -> measure.keys(2);
      }
    }
    return measure.end - in.position();
  }

  private static final class Measure {
    private final ByteBuffer in;
    private int end;

    private Measure(ByteBuffer in) {
      this.in = in;
      this.end = in.position() + 1;
    }

    private boolean has(int bytes) {
      return end + bytes <= in.limit();
    }

    private void skip(int bytes) throws ProtocolException {
      end += bytes;
      if (end - in.position() > LONGEST_REQUEST) {
        throw new ProtocolException("a request has more than %s bytes".formatted(LONGEST_REQUEST));
      }
    }

    private void sized(int longest) throws ProtocolException {
      long size = has(Long.BYTES) ? number(longest, "bytes") : 0;
      skip(Long.BYTES);
      skip((int) size);
    }

    private void keys(int each) throws ProtocolException {
      long count = has(Long.BYTES) ? number(MOST_KEYS, "keys") : 0;
      skip(Long.BYTES);
      // Where bytes are missing, all that is known is that each has a size of its own at least.
      for (long i = 0; i < count; i++) {
        if (!has(Long.BYTES)) {
          skip((int) (count - i) * each * Long.BYTES);
          return;
        }
        sized(LONGEST_KEY);
        if (each > 1) {
          sized(LONGEST_VALUE);
        }
      }
    }

    private long number(long most, String what) throws ProtocolException {
      long number = in.getLong(end);
      if (number < 0 || number > most) {
        throw new ProtocolException("%s %s are not allowed".formatted(number, what));
      }
      return number;
    }
  }

  /** A client or server does not keep to the wire format: its connection ends. */
  static final class ProtocolException extends IOException {
    private static final long serialVersionUID = 1L;

    ProtocolException(String message) {
      super(message);
    }
  }
}
