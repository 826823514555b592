// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.nativeconfig.LibTorch;

/**
 * {@code torch_call_dispatcher}: any ATen operator by name. A stack slot holds 8 bytes; a tensor
 * slot takes its handle over; an absent optional is 0, a present one the address of a malloc'ed
 * slot, which LibTorch frees; results come back from slot 0 on.
 */
public final class DispatcherAbi {
  // The conventions above are those of 2.10; newer builds keep them for callers that say so.
  private static final long ABI_VERSION = 0x020A_0000_0000_0000L;

  private static final MethodHandle CALL =
      Symbols.code("torch_call_dispatcher", ADDRESS, ADDRESS, ADDRESS, JAVA_LONG);
  private static final MethodHandle NEW_LIST =
      Symbols.code("torch_new_list_reserve_size", JAVA_LONG, ADDRESS);
  private static final MethodHandle PUSH_BACK =
      Symbols.code("torch_list_push_back", JAVA_LONG, JAVA_LONG);
  private static final MethodHandle LIST_SIZE = Symbols.code("torch_list_size", JAVA_LONG, ADDRESS);
  private static final MethodHandle LIST_ITEM =
      Symbols.code("torch_list_get_item", JAVA_LONG, JAVA_LONG, ADDRESS);
  private static final MethodHandle DELETE_LIST = Symbols.code("torch_delete_list", JAVA_LONG);
  private static final MethodHandle NEW_STRING =
      Symbols.code("torch_new_string_handle", ADDRESS, JAVA_LONG, ADDRESS);
  private static final MethodHandle STRING_LENGTH =
      Symbols.code("torch_string_length", JAVA_LONG, ADDRESS);
  private static final MethodHandle STRING_BYTES =
      Symbols.code("torch_string_c_str", JAVA_LONG, ADDRESS);
  private static final MethodHandle DELETE_STRING = Symbols.code("torch_delete_string", JAVA_LONG);
  private static final MethodHandle MALLOC =
      Symbols.system("malloc", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG));
  private static final MethodHandle FREE =
      Symbols.system("free", FunctionDescriptor.ofVoid(JAVA_LONG));

  private DispatcherAbi() {}

  /**
   * An operator's names as C strings that live as long as the process.
   *
   * @param name with its namespace
   * @param overload may be empty
   */
  public record Symbol(MemorySegment name, MemorySegment overload) {}

  /** The names of an operator, for {@link #call}. */
  public static Symbol symbol(String name, String overload) {
    Arena forever = Arena.global();
    return new Symbol(forever.allocateFrom(name), forever.allocateFrom(overload));
  }

  /** Calls an operator; arguments and results are in {@code stack}. Returns LibTorch's code. */
  public static int call(Symbol operator, MemorySegment stack) {
    try {
      return (int) CALL.invokeExact(operator.name, operator.overload, stack, ABI_VERSION);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** A list of numbers, which the call takes over. */
  public static long list(long[] values) {
    long list = newList(values.length);
    for (long v : values) {
      push(list, v);
    }
    return list;
  }

  /** As {@link #list(long[])}. */
  public static long list(double[] values) {
    long list = newList(values.length);
    for (double v : values) {
      push(list, Double.doubleToRawLongBits(v));
    }
    return list;
  }

  /** As {@link #list(long[])}. */
  public static long list(boolean[] values) {
    long list = newList(values.length);
    for (boolean v : values) {
      push(list, v ? 1 : 0);
    }
    return list;
  }

  /** An empty list with room for {@code size} entries. */
  public static long newList(int size) {
    Scratch s = Scratch.current();
    try {
      int code = (int) NEW_LIST.invokeExact((long) size, s.out);
      return code == 0 ? s.out.get(JAVA_LONG, 0) : failed("torch_new_list_reserve_size");
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** Appends a slot's value. */
  public static void push(long list, long value) {
    try {
      if ((int) PUSH_BACK.invokeExact(list, value) != 0) {
        failed("torch_list_push_back");
      }
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** The entries of a list that a call returned; the list itself is freed. */
  public static long[] takeList(long list) {
    Scratch s = Scratch.current();
    try {
      if ((int) LIST_SIZE.invokeExact(list, s.out) != 0) {
        failed("torch_list_size");
      }
      long[] items = new long[(int) s.out.get(JAVA_LONG, 0)];
      for (int i = 0; i < items.length; i++) {
        if ((int) LIST_ITEM.invokeExact(list, (long) i, s.out) != 0) {
          failed("torch_list_get_item");
        }
        items[i] = s.out.get(JAVA_LONG, 0);
      }
      if ((int) DELETE_LIST.invokeExact(list) != 0) {
        failed("torch_delete_list");
      }
      return items;
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** A string argument, which the call takes over. */
  public static long string(String text) {
    Scratch s = Scratch.current();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocateFrom(text);
      int code = (int) NEW_STRING.invokeExact(bytes, bytes.byteSize() - 1, s.out);
      return code == 0 ? s.out.get(JAVA_LONG, 0) : failed("torch_new_string_handle");
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** A present optional with {@code value} in it. */
  public static long some(long value) {
    try {
      long slot = (long) MALLOC.invokeExact(8L);
      if (slot == 0) {
        throw new OutOfMemoryError("malloc of 8 bytes");
      }
      MemorySegment.ofAddress(slot).reinterpret(8).set(ValueLayout.JAVA_LONG, 0, value);
      return slot;
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** The value in a present optional, whose slot is freed. */
  public static long takeSome(long slot) {
    try {
      long value = MemorySegment.ofAddress(slot).reinterpret(8).get(ValueLayout.JAVA_LONG, 0);
      FREE.invokeExact(slot);
      return value;
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** The text of a string that a call returned, which is freed. */
  public static String takeString(long string) {
    Scratch s = Scratch.current();
    try {
      if ((int) STRING_LENGTH.invokeExact(string, s.out) != 0) {
        failed("torch_string_length");
      }
      long length = s.out.get(JAVA_LONG, 0);
      if ((int) STRING_BYTES.invokeExact(string, s.out) != 0) {
        failed("torch_string_c_str");
      }
      byte[] bytes = s.out.get(ADDRESS, 0).reinterpret(length).toArray(ValueLayout.JAVA_BYTE);
      deleteString(string);
      return new String(bytes, StandardCharsets.UTF_8);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** Frees a string. */
  public static void deleteString(long string) {
    try {
      if ((int) DELETE_STRING.invokeExact(string) != 0) {
        failed("torch_delete_string");
      }
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /**
   * LibTorch's own words about this thread's last error, in one line, where they can be had. Ask
   * once, right after the call that failed.
   */
  public static @Nullable String lastError() {
    return LibTorch.load().errors().last();
  }

  private static long failed(String function) {
    throw new IllegalStateException("LibTorch refused " + function);
  }
}
