// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.util.stream.Stream;
import org.relaydiffusion.nativeconfig.LibTorch;

/**
 * CUDA graphs. The C ABI has none, so capturing is that of the exported class {@code
 * at::cuda::CUDAGraph}, which also keeps the allocator's memory of a captured pass apart; whatever
 * comes after is the CUDA runtime's own C functions.
 *
 * <p>A C++ exception would end the process. Those of {@code capture_begin} and {@code capture_end}
 * are out of the question as long as the stream is asked first ({@link #status}): the class throws
 * where the stream captures already, or where the capture was invalidated. An invalidated one is
 * replaced by an empty one ({@link #replaceInvalidated}), which can be ended, so that the allocator
 * gets out of its capturing state. {@code replay} and {@code instantiate} are not called: the
 * runtime's functions return codes.
 */
public final class CudaGraphAbi {
  /** {@code cudaStreamCaptureStatusNone}: nothing is captured. */
  public static final int NONE = 0;

  /** {@code cudaStreamCaptureStatusActive}: the stream captures. */
  public static final int ACTIVE = 1;

  // Of the threads of a process, only the one that captures must do nothing that a graph cannot
  // have: cudaStreamCaptureModeThreadLocal.
  private static final int THREAD_LOCAL = 1;

  // cudaGraphInstantiateFlagAutoFreeOnLaunch, as LibTorch has it, for its allocators that put
  // allocations into a graph.
  private static final long AUTO_FREE_ON_LAUNCH = 1;

  // The object of 2.10 has 248 bytes; a page is ample for any version.
  private static final long OBJECT_BYTES = 4096;

  private static final String CLASS = "_ZN2at4cuda9CUDAGraph";
  private static final String CONSTRUCT_NAME = CLASS + "C1Eb";
  private static final String DESTROY_NAME = CLASS + "D1Ev";
  private static final String BEGIN_NAME =
      CLASS + "13capture_beginESt4pairIyyE21cudaStreamCaptureMode";
  private static final String END_NAME = CLASS + "11capture_endEv";
  private static final String POOL_NAME = CLASS + "4poolEv";
  private static final String GRAPH_NAME = CLASS + "14raw_cuda_graphEv";
  private static final String IS_CAPTURING_NAME = "cudaStreamIsCapturing";
  private static final String STREAM_BEGIN_NAME = "cudaStreamBeginCapture";
  private static final String STREAM_END_NAME = "cudaStreamEndCapture";
  private static final String GRAPH_DESTROY_NAME = "cudaGraphDestroy";
  private static final String LAST_ERROR_NAME = "cudaGetLastError";
  private static final String INSTANTIATE_NAME = "cudaGraphInstantiateWithFlags";
  private static final String LAUNCH_NAME = "cudaGraphLaunch";
  private static final String EXEC_DESTROY_NAME = "cudaGraphExecDestroy";

  private static final StructLayout POOL_ID = MemoryLayout.structLayout(JAVA_LONG, JAVA_LONG);

  private static final MethodHandle CONSTRUCT =
      Symbols.any(CONSTRUCT_NAME, FunctionDescriptor.ofVoid(ADDRESS, JAVA_BOOLEAN));
  private static final MethodHandle DESTROY =
      Symbols.any(DESTROY_NAME, FunctionDescriptor.ofVoid(ADDRESS));
  private static final MethodHandle BEGIN =
      Symbols.any(BEGIN_NAME, FunctionDescriptor.ofVoid(ADDRESS, JAVA_LONG, JAVA_LONG, JAVA_INT));
  private static final MethodHandle END = Symbols.any(END_NAME, FunctionDescriptor.ofVoid(ADDRESS));
  private static final MethodHandle POOL =
      Symbols.any(POOL_NAME, FunctionDescriptor.of(POOL_ID, ADDRESS));
  private static final MethodHandle GRAPH =
      Symbols.any(GRAPH_NAME, FunctionDescriptor.of(JAVA_LONG, ADDRESS));
  private static final MethodHandle IS_CAPTURING =
      Symbols.code(IS_CAPTURING_NAME, JAVA_LONG, ADDRESS);
  private static final MethodHandle STREAM_BEGIN =
      Symbols.code(STREAM_BEGIN_NAME, JAVA_LONG, JAVA_INT);
  private static final MethodHandle STREAM_END = Symbols.code(STREAM_END_NAME, JAVA_LONG, ADDRESS);
  private static final MethodHandle GRAPH_DESTROY = Symbols.code(GRAPH_DESTROY_NAME, JAVA_LONG);
  private static final MethodHandle LAST_ERROR = Symbols.code(LAST_ERROR_NAME);
  private static final MethodHandle INSTANTIATE =
      Symbols.code(INSTANTIATE_NAME, ADDRESS, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle LAUNCH = Symbols.code(LAUNCH_NAME, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle EXEC_DESTROY = Symbols.code(EXEC_DESTROY_NAME, JAVA_LONG);

  private CudaGraphAbi() {}

  /**
   * A pool of the allocator's, whose memory a graph's tensors have.
   *
   * @param first 0 in both for a new pool
   * @param second see {@code first}
   */
  public record Pool(long first, long second) {
    /** A pool of its own. */
    public static final Pool NEW = new Pool(0, 0);
  }

  /** Whether this LibTorch and its CUDA runtime have all of it. */
  public static boolean isPresent() {
    LibTorch library = LibTorch.load();
    return CudaStreamAbi.isPresent()
        && Stream.of(
                CONSTRUCT_NAME,
                DESTROY_NAME,
                BEGIN_NAME,
                END_NAME,
                POOL_NAME,
                GRAPH_NAME,
                IS_CAPTURING_NAME,
                STREAM_BEGIN_NAME,
                STREAM_END_NAME,
                GRAPH_DESTROY_NAME,
                LAST_ERROR_NAME,
                INSTANTIATE_NAME,
                LAUNCH_NAME,
                EXEC_DESTROY_NAME)
            .allMatch(name -> library.find(name).isPresent());
  }

  /**
   * What a stream does: {@link #NONE}, {@link #ACTIVE}, or another number where its capture was
   * invalidated.
   */
  public static int status(long stream) throws NativeCallException {
    Scratch s = Scratch.current();
    int code;
    s.out.set(JAVA_LONG, 0, 0L);
    try {
      code = (int) IS_CAPTURING.invokeExact(stream, s.out);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
    check(code, IS_CAPTURING_NAME);
    return s.out.get(JAVA_INT, 0);
  }

  /** An object of the class, in memory that ends with {@code arena}; it is destroyed before. */
  public static MemorySegment create(Arena arena) {
    MemorySegment object = arena.allocate(OBJECT_BYTES, 16);
    try {
      // The captured graph is kept, so that the runtime's own functions can be used on it.
      CONSTRUCT.invokeExact(object, true);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
    return object;
  }

  /**
   * Begins to capture the current stream, which is not the device's default one, and whose status
   * is {@link #NONE}.
   */
  public static void begin(MemorySegment object, Pool pool) {
    try {
      BEGIN.invokeExact(object, pool.first, pool.second, THREAD_LOCAL);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** Ends capturing on the same stream, whose status is {@link #ACTIVE}. */
  public static void end(MemorySegment object) {
    try {
      END.invokeExact(object);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /**
   * Ends a capture that was invalidated, and begins one without operations on the same stream in
   * its place, so that {@link #end} has something to end.
   */
  public static void replaceInvalidated(long stream) throws NativeCallException {
    Scratch s = Scratch.current();
    s.out.set(JAVA_LONG, 0, 0L);
    int code;
    try {
      // Its code says that the capture was invalidated, which is known.
      int _ = (int) STREAM_END.invokeExact(stream, s.out);
      long graph = s.out.get(JAVA_LONG, 0);
      if (graph != 0) {
        int _ = (int) GRAPH_DESTROY.invokeExact(graph);
      }
      // Else the next call of anyone's would be told of it.
      int _ = (int) LAST_ERROR.invokeExact();
      code = (int) STREAM_BEGIN.invokeExact(stream, THREAD_LOCAL);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
    check(code, STREAM_BEGIN_NAME);
  }

  /** The pool of an object that has captured. */
  public static Pool pool(MemorySegment object) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment id = (MemorySegment) POOL.invokeExact((SegmentAllocator) arena, object);
      return new Pool(id.get(JAVA_LONG, 0), id.get(JAVA_LONG, Long.BYTES));
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** Makes what an object has captured ready to be launched: a {@code cudaGraphExec_t}. */
  public static long instantiate(MemorySegment object) throws NativeCallException {
    Scratch s = Scratch.current();
    int code;
    try {
      long graph = (long) GRAPH.invokeExact(object);
      code = (int) INSTANTIATE.invokeExact(s.out, graph, AUTO_FREE_ON_LAUNCH);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
    check(code, INSTANTIATE_NAME);
    return s.out.get(JAVA_LONG, 0);
  }

  /** Launches a graph on a stream of the current device. */
  public static void launch(long exec, long stream) throws NativeCallException {
    int code;
    try {
      code = (int) LAUNCH.invokeExact(exec, stream);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
    check(code, LAUNCH_NAME);
  }

  /** Frees what {@link #instantiate} has made; launched work still ends. */
  public static void destroyExec(long exec) {
    try {
      // A code is of earlier work's failure, which is told where that is waited for.
      int _ = (int) EXEC_DESTROY.invokeExact(exec);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** Frees the graph, and its use of the pool; not while it captures. */
  public static void destroy(MemorySegment object) {
    try {
      DESTROY.invokeExact(object);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  private static void check(int code, String function) throws NativeCallException {
    if (code != 0) {
      throw new NativeCallException(function, code);
    }
  }
}
