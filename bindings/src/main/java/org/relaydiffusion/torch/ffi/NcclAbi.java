// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import org.relaydiffusion.nativeconfig.NcclLibrary;

/**
 * NCCL's C interface, of version 2.18 or newer. A communicator is an address; it is made not to
 * block: a call that is not done returns {@link #IN_PROGRESS}, and {@link #state} tells when it is.
 * The results of these functions are {@code ncclResult_t}.
 */
public final class NcclAbi {
  /** {@code ncclSuccess}. */
  public static final int SUCCESS = 0;

  /** {@code ncclInProgress}. */
  public static final int IN_PROGRESS = 7;

  /** {@code sizeof(ncclUniqueId)}. */
  public static final int ID_BYTES = 128;

  /** {@code ncclConfig_t} of NCCL 2.27; a newer one fills what it has more with defaults. */
  private static final StructLayout CONFIG =
      MemoryLayout.structLayout(
          JAVA_LONG.withName("size"),
          JAVA_INT.withName("magic"),
          JAVA_INT.withName("version"),
          JAVA_INT.withName("blocking"),
          JAVA_INT.withName("cgaClusterSize"),
          JAVA_INT.withName("minCTAs"),
          JAVA_INT.withName("maxCTAs"),
          ADDRESS.withName("netName"),
          JAVA_INT.withName("splitShare"),
          JAVA_INT.withName("trafficClass"),
          ADDRESS.withName("commName"),
          JAVA_INT.withName("collnetEnable"),
          JAVA_INT.withName("CTAPolicy"),
          JAVA_INT.withName("shrinkShare"),
          JAVA_INT.withName("nvlsCTAs"));

  private static final int MAGIC = 0xcafebeef;
  private static final int CONFIG_VERSION = 22700;
  private static final int UNDEFINED = Integer.MIN_VALUE;
  private static final int LONGEST_TEXT = 1 << 16;

  private static final StructLayout ID =
      MemoryLayout.structLayout(MemoryLayout.sequenceLayout(ID_BYTES, JAVA_BYTE));

  private static final MethodHandle GET_VERSION = code("ncclGetVersion", ADDRESS);
  private static final MethodHandle GET_UNIQUE_ID = code("ncclGetUniqueId", ADDRESS);
  private static final MethodHandle INIT =
      code("ncclCommInitRankConfig", ADDRESS, JAVA_INT, ID, JAVA_INT, ADDRESS);
  private static final MethodHandle GET_ASYNC_ERROR =
      code("ncclCommGetAsyncError", JAVA_LONG, ADDRESS);
  private static final MethodHandle FINALIZE = code("ncclCommFinalize", JAVA_LONG);
  private static final MethodHandle DESTROY = code("ncclCommDestroy", JAVA_LONG);
  private static final MethodHandle ABORT = code("ncclCommAbort", JAVA_LONG);
  private static final MethodHandle GROUP_START = code("ncclGroupStart");
  private static final MethodHandle GROUP_END = code("ncclGroupEnd");
  private static final MethodHandle ALL_REDUCE =
      code(
          "ncclAllReduce",
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_INT,
          JAVA_INT,
          JAVA_LONG,
          JAVA_LONG);
  private static final MethodHandle BROADCAST =
      code(
          "ncclBroadcast",
          JAVA_LONG,
          JAVA_LONG,
          JAVA_LONG,
          JAVA_INT,
          JAVA_INT,
          JAVA_LONG,
          JAVA_LONG);
  private static final MethodHandle ALL_GATHER =
      code("ncclAllGather", JAVA_LONG, JAVA_LONG, JAVA_LONG, JAVA_INT, JAVA_LONG, JAVA_LONG);
  private static final MethodHandle ERROR_STRING =
      any("ncclGetErrorString", FunctionDescriptor.of(ADDRESS, JAVA_INT));
  private static final MethodHandle LAST_ERROR =
      any("ncclGetLastError", FunctionDescriptor.of(ADDRESS, JAVA_LONG));

  private NcclAbi() {}

  private static MethodHandle code(String name, MemoryLayout... arguments) {
    return any(name, FunctionDescriptor.of(JAVA_INT, arguments));
  }

  private static MethodHandle any(String name, FunctionDescriptor descriptor) {
    return LazyHandle.of(
        descriptor.toMethodType(), () -> Symbols.at(NcclLibrary.load().function(name), descriptor));
  }

  /** {@code ncclRedOp_t}. */
  public enum Operation {
    /** {@code ncclSum}. */
    SUM,
    /** {@code ncclProd}. */
    PRODUCT,
    /** {@code ncclMax}. */
    MAX,
    /** {@code ncclMin}. */
    MIN,
    /** {@code ncclAvg}. */
    AVERAGE
  }

  /** The version of the library as a number: 22703 for 2.27.3. */
  public static int version() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment version = arena.allocate(JAVA_INT);
      int result = (int) GET_VERSION.invokeExact(version);
      return result == SUCCESS ? version.get(JAVA_INT, 0) : 0;
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /**
   * Makes the name of a communicator, which its ranks share.
   *
   * @param id {@link #ID_BYTES} bytes that are written
   */
  public static int uniqueId(byte[] id) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment made = arena.allocate(ID);
      int result = (int) GET_UNIQUE_ID.invokeExact(made);
      MemorySegment.copy(made, JAVA_BYTE, 0, id, 0, ID_BYTES);
      return result;
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /**
   * Begins to make a communicator of the current CUDA device.
   *
   * @param out its address is written to [0]; 0 where there is none
   */
  public static int init(long[] out, int size, byte[] id, int rank) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment comm = arena.allocate(JAVA_LONG);
      MemorySegment name = arena.allocate(ID);
      MemorySegment.copy(id, 0, name, JAVA_BYTE, 0, ID_BYTES);
      int result = (int) INIT.invokeExact(comm, size, name, rank, config(arena));
      out[0] = comm.get(JAVA_LONG, 0);
      return result;
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  private static MemorySegment config(Arena arena) {
    MemorySegment config = arena.allocate(CONFIG);
    for (MemoryLayout member : CONFIG.memberLayouts()) {
      if (member.equals(JAVA_INT.withName(member.name().orElseThrow()))) {
        config.set(JAVA_INT, offset(member.name().orElseThrow()), UNDEFINED);
      }
    }
    config.set(JAVA_LONG, offset("size"), CONFIG.byteSize());
    config.set(JAVA_INT, offset("magic"), MAGIC);
    config.set(JAVA_INT, offset("version"), CONFIG_VERSION);
    config.set(JAVA_INT, offset("blocking"), 0);
    return config;
  }

  private static long offset(String name) {
    return CONFIG.byteOffset(MemoryLayout.PathElement.groupElement(name));
  }

  /**
   * The state of a communicator, also what went wrong in the background: {@code
   * ncclCommGetAsyncError}.
   */
  public static int state(long comm) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment state = arena.allocate(JAVA_INT);
      int result = (int) GET_ASYNC_ERROR.invokeExact(comm, state);
      return result == SUCCESS ? state.get(JAVA_INT, 0) : result;
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** Begins to end what was called: {@code ncclCommFinalize}. */
  public static int finish(long comm) {
    return of(FINALIZE, comm);
  }

  /** Frees a communicator that is finished. */
  public static int destroy(long comm) {
    return of(DESTROY, comm);
  }

  /** Frees a communicator, whatever goes on in it; kernels that wait for peers end. */
  public static int abort(long comm) {
    return of(ABORT, comm);
  }

  private static int of(MethodHandle function, long comm) {
    try {
      return (int) function.invokeExact(comm);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** What is called until {@link #groupEnd} is one operation. */
  public static int groupStart() {
    try {
      return (int) GROUP_START.invokeExact();
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** Issues what was called since {@link #groupStart}. */
  public static int groupEnd() {
    try {
      return (int) GROUP_END.invokeExact();
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /**
   * Combines, in place.
   *
   * @param data address on the device
   * @param type {@code ncclDataType_t}
   */
  @SuppressWarnings("EnumOrdinal") // The constants are in NCCL's order.
  public static int allReduce(
      long data, long count, int type, Operation operation, long comm, long stream) {
    try {
      return (int)
          ALL_REDUCE.invokeExact(data, data, count, type, operation.ordinal(), comm, stream);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** Copies the root's, in place; as {@link #allReduce}. */
  public static int broadcast(long data, long count, int type, int root, long comm, long stream) {
    try {
      return (int) BROADCAST.invokeExact(data, data, count, type, root, comm, stream);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /**
   * Puts everybody's elements one after the other; as {@link #allReduce}.
   *
   * @param count of this rank's
   */
  public static int allGather(long own, long all, long count, int type, long comm, long stream) {
    try {
      return (int) ALL_GATHER.invokeExact(own, all, count, type, comm, stream);
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /** What a result means. */
  public static String text(int result) {
    try {
      return text((MemorySegment) ERROR_STRING.invokeExact(result));
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  /**
   * What NCCL said last.
   *
   * @param comm a communicator, or 0
   */
  public static String lastError(long comm) {
    try {
      return text((MemorySegment) LAST_ERROR.invokeExact(comm));
    } catch (Throwable e) {
      throw TensorAbi.fatal(e);
    }
  }

  private static String text(MemorySegment text) {
    return text.equals(MemorySegment.NULL) ? "" : text.reinterpret(LONGEST_TEXT).getString(0);
  }
}
