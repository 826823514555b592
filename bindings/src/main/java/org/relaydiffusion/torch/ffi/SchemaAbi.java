// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.nativeconfig.LibTorch;

/**
 * The schemas that LibTorch has registered, which the C ABI cannot tell. The dispatcher's own
 * functions are exported, and give the address of a {@code c10::OperatorHandle}, in which the
 * schema is found by its place. That was the same in LibTorch 2.10, 2.13 and 2.14, on platforms
 * with libstdc++; elsewhere nothing is asked.
 */
public final class SchemaAbi {
  private static final LibTorch.Version NEWEST_KNOWN =
      new LibTorch.Version(2, 14, Integer.MAX_VALUE);

  // Data, length, and 16 bytes for a short text.
  private static final StructLayout STRING =
      MemoryLayout.structLayout(ADDRESS, JAVA_LONG, MemoryLayout.sequenceLayout(2, JAVA_LONG));
  // std::optional<OperatorHandle>: the definition, a list's iterator, whether there is one.
  private static final StructLayout FOUND = MemoryLayout.structLayout(ADDRESS, ADDRESS, JAVA_LONG);
  // A definition begins with the operator's name, two strings; its schema, too, begins with them.
  private static final long SCHEMA = 2 * STRING.byteSize();
  private static final long LONGEST = 1 << 16;

  private static final String DISPATCHER = "_ZN3c1010Dispatcher13realSingletonEv";
  private static final String FIND = "_ZN3c1010Dispatcher10findSchemaERKNS_12OperatorNameE";
  private static final String PRINT = "_ZN3c10lsERSoRKNS_14FunctionSchemaE";
  private static final String STREAM = "St7__cxx1119basic_ostringstreamIcSt11char_traitsIcESaIcEE";
  // libstdc++'s std::ostringstream has 376 bytes, and begins with its std::ostream.
  private static final long STREAM_BYTES = 1024;

  /** What is known of an operator. */
  public sealed interface Answer {
    /**
     * It is registered.
     *
     * @param text its whole schema
     */
    record Registered(String text) implements Answer {}

    /** There is no operator of that name and overload. */
    record Missing() implements Answer {}

    /** This build of LibTorch cannot be asked. */
    record Unknown() implements Answer {}
  }

  private SchemaAbi() {}

  /** Looks an operator up; takes microseconds and a few hundred bytes that are not given back. */
  public static Answer find(String name, String overload) {
    LibTorch library = LibTorch.load();
    if (library.version().compareTo(NEWEST_KNOWN) > 0) {
      return new Answer.Unknown();
    }
    Functions functions = Functions.of(library);
    if (functions == null) {
      return new Answer.Unknown();
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment key = arena.allocate(2 * STRING.byteSize(), Long.BYTES);
      string(key, name, arena);
      string(key.asSlice(STRING.byteSize()), overload, arena);
      long dispatcher = (long) functions.dispatcher.invokeExact();
      MemorySegment found =
          (MemorySegment) functions.find.invokeExact((SegmentAllocator) arena, dispatcher, key);
      if (found.get(JAVA_BYTE, 2 * ADDRESS.byteSize()) == 0) {
        return new Answer.Missing();
      }
      MemorySegment definition = found.get(ADDRESS, 0).reinterpret(SCHEMA + 2 * STRING.byteSize());
      for (long place : new long[] {0, SCHEMA}) {
        if (!text(definition.asSlice(place)).equals(name)
            || !text(definition.asSlice(place + STRING.byteSize())).equals(overload)) {
          return new Answer.Unknown();
        }
      }
      return new Answer.Registered(functions.print(definition.asSlice(SCHEMA), arena));
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** The C++ functions that this needs; each is called a few hundred times at most. */
  private record Functions(
      MethodHandle dispatcher,
      MethodHandle find,
      MethodHandle print,
      MethodHandle newStream,
      MethodHandle text,
      MethodHandle endStream) {

    /** Null where this build lacks one. */
    static @Nullable Functions of(LibTorch library) {
      MethodHandle dispatcher = handle(library, DISPATCHER, FunctionDescriptor.of(JAVA_LONG));
      MethodHandle find = handle(library, FIND, FunctionDescriptor.of(FOUND, JAVA_LONG, ADDRESS));
      MethodHandle print = handle(library, PRINT, FunctionDescriptor.of(ADDRESS, ADDRESS, ADDRESS));
      MethodHandle newStream =
          handle(library, "_ZN" + STREAM + "C1Ev", FunctionDescriptor.ofVoid(ADDRESS));
      MethodHandle text =
          handle(library, "_ZNK" + STREAM + "3strEv", FunctionDescriptor.of(STRING, ADDRESS));
      MethodHandle endStream =
          handle(library, "_ZN" + STREAM + "D1Ev", FunctionDescriptor.ofVoid(ADDRESS));
      return dispatcher == null
              || find == null
              || print == null
              || newStream == null
              || text == null
              || endStream == null
          ? null
          : new Functions(dispatcher, find, print, newStream, text, endStream);
    }

    /** What {@code std::ostream << schema} writes. */
    String print(MemorySegment schema, Arena arena) throws Throwable {
      MemorySegment stream = arena.allocate(STREAM_BYTES, 16);
      newStream.invokeExact(stream);
      try {
        MemorySegment _ = (MemorySegment) print.invokeExact(stream, schema);
        return SchemaAbi.text((MemorySegment) text.invokeExact((SegmentAllocator) arena, stream));
      } finally {
        endStream.invokeExact(stream);
      }
    }
  }

  private static @Nullable MethodHandle handle(
      LibTorch library, String name, FunctionDescriptor descriptor) {
    return library.find(name).map(function -> Symbols.at(function, descriptor)).orElse(null);
  }

  private static void string(MemorySegment place, String text, Arena arena) {
    MemorySegment bytes = arena.allocateFrom(text);
    place.set(ADDRESS, 0, bytes);
    place.set(JAVA_LONG, ADDRESS.byteSize(), bytes.byteSize() - 1);
  }

  private static String text(MemorySegment string) {
    long length = string.get(JAVA_LONG, ADDRESS.byteSize());
    if (length < 0 || length > LONGEST) {
      return "";
    }
    byte[] bytes = string.get(ADDRESS, 0).reinterpret(length).toArray(JAVA_BYTE);
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
