// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.torch.GradMode;

/**
 * The calls that {@link OpsBenchmark} measures, as the C functions themselves: raw method handles
 * over raw tensor handles, with no check of anything, the result freed at once. It is what a call
 * costs in LibTorch. Where LibTorch 2.10 has no C function of the operator, it is the dispatcher's.
 * JMH wants this class and its methods public.
 */
@BenchmarkMode(Mode.AverageTime)
public class OpsBare {
  private static final long ABI_VERSION = 0x020A_0000_0000_0000L;
  private static final int FLOAT32 = 6;

  private static final MethodHandle DELETE = code("aoti_torch_delete_tensor_object", JAVA_LONG);
  private static final MethodHandle NEW_HANDLE =
      quick("aoti_torch_new_tensor_handle", JAVA_LONG, ADDRESS);
  private static final MethodHandle EMPTY =
      code(
          "aoti_torch_empty_strided",
          JAVA_LONG,
          ADDRESS,
          ADDRESS,
          JAVA_INT,
          JAVA_INT,
          JAVA_INT,
          ADDRESS);
  private static final MethodHandle FILL =
      code("aoti_torch_aten_fill__Scalar", JAVA_LONG, JAVA_DOUBLE);
  private static final MethodHandle ADD =
      code("aoti_torch_cpu_add_Tensor", JAVA_LONG, JAVA_LONG, JAVA_DOUBLE, ADDRESS);
  private static final MethodHandle ADD_NUMBER =
      code("aoti_torch_cpu_add_Scalar", JAVA_LONG, JAVA_DOUBLE, JAVA_DOUBLE, ADDRESS);
  private static final MethodHandle MUL =
      code("aoti_torch_cpu_mul_Tensor", JAVA_LONG, JAVA_LONG, ADDRESS);
  private static final MethodHandle MUL_NUMBER =
      code("aoti_torch_cpu_mul_Scalar", JAVA_LONG, JAVA_DOUBLE, ADDRESS);
  private static final MethodHandle RESHAPE =
      code("aoti_torch_cpu_reshape", JAVA_LONG, ADDRESS, JAVA_LONG, ADDRESS);
  private static final MethodHandle ITEM = code("aoti_torch_item_float32", JAVA_LONG, ADDRESS);
  private static final MethodHandle DATA = quick("aoti_torch_get_data_ptr", JAVA_LONG, ADDRESS);
  private static final MethodHandle DIM = quick("aoti_torch_get_dim", JAVA_LONG, ADDRESS);
  private static final MethodHandle SIZES = quick("aoti_torch_get_sizes", JAVA_LONG, ADDRESS);
  private static final MethodHandle DTYPE = quick("aoti_torch_get_dtype", JAVA_LONG, ADDRESS);
  private static final MethodHandle DEVICE =
      quick("aoti_torch_get_device_type", JAVA_LONG, ADDRESS);
  private static final MethodHandle DISPATCH =
      code("torch_call_dispatcher", ADDRESS, ADDRESS, ADDRESS, JAVA_LONG);

  /** The operands. */
  @State(Scope.Thread)
  public static class Operands {
    final MemorySegment out = Arena.global().allocate(JAVA_LONG);
    final MemorySegment stack = Arena.global().allocate(JAVA_LONG, 8);
    final MemorySegment matrix = Arena.global().allocateFrom(JAVA_LONG, 2, 4);
    final MemorySegment mulInPlace = Arena.global().allocateFrom("aten::mul_");
    final MemorySegment silu = Arena.global().allocateFrom("aten::silu");
    final MemorySegment tensor = Arena.global().allocateFrom("Tensor");
    final MemorySegment noOverload = Arena.global().allocateFrom("");
    final long a = full(1.5, 8);
    final long b = full(0.5, 8);
    final long sum = full(0, 8);
    final long one = full(1);
    private final GradMode noGrad = GradMode.noGrad();

    /** Made by JMH. */
    public Operands() {}

    /** Frees the operands. */
    @TearDown
    public void close() throws Throwable {
      noGrad.close();
      for (long handle : new long[] {a, b, sum, one}) {
        check((int) DELETE.invokeExact(handle));
      }
    }

    private long full(double value, long... sizes) {
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment shape = arena.allocateFrom(JAVA_LONG, sizes);
        MemorySegment strides = arena.allocateFrom(JAVA_LONG, 1);
        check(
            (int) EMPTY.invokeExact((long) sizes.length, shape, strides, FLOAT32, 0, -1, this.out));
        long handle = out.get(JAVA_LONG, 0);
        check((int) FILL.invokeExact(handle, value));
        return handle;
      } catch (Throwable e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** Made by JMH. */
  public OpsBare() {}

  /** A sum. */
  @Benchmark
  public void add(Operands s) throws Throwable {
    check((int) ADD.invokeExact(s.a, s.b, 1.0, s.out));
    free(s.out);
  }

  /** A sum with a number. */
  @Benchmark
  public void addNumber(Operands s) throws Throwable {
    check((int) ADD_NUMBER.invokeExact(s.a, 0.3, 1.0, s.out));
    free(s.out);
  }

  /** A product. */
  @Benchmark
  public void mul(Operands s) throws Throwable {
    check((int) MUL.invokeExact(s.a, s.b, s.out));
    free(s.out);
  }

  /** A product with a number. */
  @Benchmark
  public void mulNumber(Operands s) throws Throwable {
    check((int) MUL_NUMBER.invokeExact(s.a, 0.3, s.out));
    free(s.out);
  }

  /** A product into its first operand, through the dispatcher. */
  @Benchmark
  public void mulInPlace(Operands s) throws Throwable {
    check((int) NEW_HANDLE.invokeExact(s.b, s.out));
    s.stack.set(JAVA_LONG, 8, s.out.get(JAVA_LONG, 0));
    dispatch(s, s.mulInPlace, s.tensor, s.sum);
  }

  /** An activation, through the dispatcher. */
  @Benchmark
  public void silu(Operands s) throws Throwable {
    dispatch(s, s.silu, s.noOverload, s.a);
  }

  /** A view of another shape. */
  @Benchmark
  public void reshape(Operands s) throws Throwable {
    check((int) RESHAPE.invokeExact(s.a, s.matrix, 2L, s.out));
    free(s.out);
  }

  /** An alias, which is all that is needed for the type that it has. */
  @Benchmark
  public void toSameType(Operands s) throws Throwable {
    check((int) NEW_HANDLE.invokeExact(s.a, s.out));
    free(s.out);
  }

  /** An alias, which is all that is needed for the device that it is on. */
  @Benchmark
  public void toSameDevice(Operands s) throws Throwable {
    check((int) NEW_HANDLE.invokeExact(s.a, s.out));
    free(s.out);
  }

  /** The one element. */
  @Benchmark
  public double item(Operands s) throws Throwable {
    check((int) ITEM.invokeExact(s.one, s.out));
    return s.out.get(JAVA_FLOAT, 0);
  }

  /** An element of a tensor's memory. */
  @Benchmark
  public float memory(Operands s) throws Throwable {
    check((int) DATA.invokeExact(s.a, s.out));
    return MemorySegment.ofAddress(s.out.get(JAVA_LONG, 0)).reinterpret(32).get(JAVA_FLOAT, 4);
  }

  /** The sizes. */
  @Benchmark
  public long[] shape(Operands s) throws Throwable {
    check((int) DIM.invokeExact(s.a, s.out));
    long rank = s.out.get(JAVA_LONG, 0);
    check((int) SIZES.invokeExact(s.a, s.out));
    return MemorySegment.ofAddress(s.out.get(JAVA_LONG, 0))
        .reinterpret(8 * rank)
        .toArray(JAVA_LONG);
  }

  /** The element type. */
  @Benchmark
  public int dtype(Operands s) throws Throwable {
    check((int) DTYPE.invokeExact(s.a, s.out));
    return s.out.get(JAVA_INT, 0);
  }

  /** The kind of device. */
  @Benchmark
  public int device(Operands s) throws Throwable {
    check((int) DEVICE.invokeExact(s.a, s.out));
    return s.out.get(JAVA_INT, 0);
  }

  /** Calls an operator whose first argument, an alias of {@code self}, is taken over. */
  private static void dispatch(
      Operands s, MemorySegment operator, MemorySegment overload, long self) throws Throwable {
    check((int) NEW_HANDLE.invokeExact(self, s.out));
    s.stack.set(JAVA_LONG, 0, s.out.get(JAVA_LONG, 0));
    check((int) DISPATCH.invokeExact(operator, overload, s.stack, ABI_VERSION));
    free(s.stack);
  }

  private static void free(MemorySegment handle) throws Throwable {
    check((int) DELETE.invokeExact(handle.get(JAVA_LONG, 0)));
  }

  private static void check(int code) {
    if (code != 0) {
      throw new IllegalStateException("LibTorch refused a call");
    }
  }

  private static MethodHandle code(String name, MemoryLayout... arguments) {
    return handle(name, arguments);
  }

  /** For calls that return in far less than a microsecond. */
  private static MethodHandle quick(String name, MemoryLayout... arguments) {
    return handle(name, arguments, Linker.Option.critical(false));
  }

  private static MethodHandle handle(
      String name, MemoryLayout[] arguments, Linker.Option... options) {
    return Linker.nativeLinker()
        .downcallHandle(
            LibTorch.load().find(name).orElseThrow(),
            FunctionDescriptor.of(JAVA_INT, arguments),
            options);
  }
}
