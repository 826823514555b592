// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;

/**
 * CPU generators: made by LibTorch's exported C++ factory, drawn from through the C ABI. A
 * generator is an 8-byte {@code at::Generator} (one counted pointer) in memory of ours.
 */
public final class RandomAbi {
  // A C++ object with a destructor comes back through a hidden pointer, as a struct too large for
  // registers does; the linker knows where each platform passes it.
  static final StructLayout BY_HIDDEN_POINTER =
      MemoryLayout.structLayout(MemoryLayout.sequenceLayout(4, JAVA_LONG));
  private static final MethodHandle CREATE =
      Symbols.any(
          "_ZN2at6detail18createCPUGeneratorEm",
          FunctionDescriptor.of(BY_HIDDEN_POINTER, JAVA_LONG));
  private static final MethodHandle DEFAULT =
      Symbols.any("_ZN2at6detail22getDefaultCPUGeneratorEv", FunctionDescriptor.of(JAVA_LONG));
  private static final MethodHandle SET_SEED =
      Symbols.any(
          "_ZN2at16CPUGeneratorImpl16set_current_seedEm",
          FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG));
  private static final MethodHandle RANDOM64 =
      Symbols.any(
          "_ZN2at16CPUGeneratorImpl8random64Ev", FunctionDescriptor.of(JAVA_LONG, JAVA_LONG));
  private static final MethodHandle RANDOM =
      Symbols.any("_ZN2at16CPUGeneratorImpl6randomEv", FunctionDescriptor.of(JAVA_INT, JAVA_LONG));
  private static final MethodHandle RANDN = sized("aoti_torch_cpu_randn_generator");
  private static final MethodHandle RAND = sized("aoti_torch_cpu_rand_generator");
  private static final MethodHandle RANDINT = bounded("aoti_torch_cpu_randint_generator");

  private RandomAbi() {}

  /** Which distribution a draw comes from. */
  public enum Draw {
    /** Standard normal. */
    NORMAL,
    /** Uniform on [0, 1). */
    UNIFORM
  }

  /** A new generator in {@code arena}; its one reference is never dropped by {@code arena}. */
  public static MemorySegment create(Arena arena, long seed) {
    // Only the first 8 bytes are written; the rest is what the layout's size asks for.
    MemorySegment generator = arena.allocate(BY_HIDDEN_POINTER);
    SegmentAllocator place = (_, _) -> generator;
    try {
      MemorySegment _ = (MemorySegment) CREATE.invokeExact(place, seed);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
    return generator;
  }

  /** The process's default CPU generator, which dropout and the like draw from. */
  public static MemorySegment defaultGenerator() {
    try {
      return MemorySegment.ofAddress((long) DEFAULT.invokeExact()).reinterpret(8);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** {@code manual_seed}. */
  public static void seed(MemorySegment generator, long seed) {
    try {
      SET_SEED.invokeExact(generator.get(JAVA_LONG, 0), seed);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** The next 64 random bits. */
  public static long random64(MemorySegment generator) {
    try {
      return (long) RANDOM64.invokeExact(generator.get(JAVA_LONG, 0));
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** The next 32 random bits. */
  public static int random32(MemorySegment generator) {
    try {
      return (int) RANDOM.invokeExact(generator.get(JAVA_LONG, 0));
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** A tensor of draws. */
  public static long draw(MemorySegment generator, Draw draw, long[] sizes, int dtype)
      throws NativeCallException {
    MethodHandle function = draw == Draw.NORMAL ? RANDN : RAND;
    return draw(function, generator, MemorySegment.NULL, -1, draw, sizes, dtype);
  }

  /** A tensor of integers in [0, high). */
  public static long randint(MemorySegment generator, long high, long[] sizes, int dtype)
      throws NativeCallException {
    return randint(RANDINT, generator, MemorySegment.NULL, -1, high, sizes, dtype);
  }

  /** A tensor of draws on a device, whose type is null for the CPU. */
  static long draw(
      MethodHandle function,
      MemorySegment generator,
      MemorySegment deviceType,
      int deviceIndex,
      Draw draw,
      long[] sizes,
      int dtype)
      throws NativeCallException {
    Scratch s = Scratch.current();
    int code;
    s.out2.set(JAVA_LONG, 0, generator.address());
    MemorySegment type = type(dtype);
    try {
      code =
          (int)
              function.invokeExact(
                  s.sizes(sizes),
                  (long) sizes.length,
                  s.out2,
                  type,
                  MemorySegment.NULL,
                  deviceType,
                  deviceIndex,
                  MemorySegment.NULL,
                  s.out);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
    if (code != 0) {
      throw new NativeCallException(draw == Draw.NORMAL ? "randn" : "rand");
    }
    return s.out.get(JAVA_LONG, 0);
  }

  /** A tensor of integers in [0, high) on a device, whose type is null for the CPU. */
  static long randint(
      MethodHandle function,
      MemorySegment generator,
      MemorySegment deviceType,
      int deviceIndex,
      long high,
      long[] sizes,
      int dtype)
      throws NativeCallException {
    Scratch s = Scratch.current();
    int code;
    s.out2.set(JAVA_LONG, 0, generator.address());
    MemorySegment type = type(dtype);
    try {
      code =
          (int)
              function.invokeExact(
                  high,
                  s.sizes(sizes),
                  (long) sizes.length,
                  s.out2,
                  type,
                  MemorySegment.NULL,
                  deviceType,
                  deviceIndex,
                  MemorySegment.NULL,
                  s.out);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
    if (code != 0) {
      throw new NativeCallException("randint");
    }
    return s.out.get(JAVA_LONG, 0);
  }

  /** The calls want the dtype's address; no operator's arguments lie on the stack between calls. */
  private static MemorySegment type(int dtype) {
    MemorySegment type = Scratch.stack(1).asSlice(0, Integer.BYTES);
    type.set(JAVA_INT, 0, dtype);
    return type;
  }

  static MethodHandle sized(String name) {
    return Symbols.code(
        name, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);
  }

  static MethodHandle bounded(String name) {
    return Symbols.code(
        name, JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS, ADDRESS, ADDRESS, ADDRESS, JAVA_INT, ADDRESS,
        ADDRESS);
  }
}
