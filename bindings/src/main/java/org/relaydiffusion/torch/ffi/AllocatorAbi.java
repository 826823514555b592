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
import java.util.Optional;
import org.relaydiffusion.nativeconfig.LibTorch;

/**
 * Statistics of CUDA's caching allocator, which the C ABI does not have, and for which no function
 * is exported: only the allocator itself is, a {@code c10::DeviceAllocator}. So its virtual
 * functions are called by their place in its table. The places and the layout of the result were
 * the same in the headers and libraries of LibTorch 2.10, 2.13 and 2.14; of a newer one, nothing is
 * asked.
 */
public final class AllocatorAbi {
  private static final String ALLOCATOR = "_ZN3c104cuda20CUDACachingAllocator9allocatorE";
  private static final LibTorch.Version NEWEST_KNOWN =
      new LibTorch.Version(2, 14, Integer.MAX_VALUE);

  // After two destructors, allocate, is_simple_data_ptr, raw_deleter, copy_data, initialized,
  // emptyCache and recordStream.
  private static final int EMPTY_CACHE = 7;
  private static final int GET_DEVICE_STATS = 9;
  private static final int RESET_PEAK_STATS = 11;

  // DeviceStats begins with arrays of three Stats (of all blocks, small ones, large ones); a Stat
  // is
  // current, peak, allocated, freed. The fifth and sixth array are allocated and reserved bytes.
  private static final long STAT_ARRAY = 3 * 4 * Long.BYTES;
  private static final long ALLOCATED_PEAK = 4 * STAT_ARRAY + Long.BYTES;
  private static final long RESERVED_PEAK = 5 * STAT_ARRAY + Long.BYTES;

  // Comes back through a hidden pointer, as it is too large for registers; larger than any version
  // (2.10: 976 bytes) needs.
  private static final StructLayout DEVICE_STATS =
      MemoryLayout.structLayout(MemoryLayout.sequenceLayout(256, JAVA_LONG));

  private AllocatorAbi() {}

  /**
   * Peaks, in bytes.
   *
   * @param allocated of what tensors had
   * @param reserved of what the allocator had from the device
   */
  public record Peaks(long allocated, long reserved) {}

  /**
   * The peaks since they were last reset, or since the process began.
   *
   * @param device which has been computed on: for any other, LibTorch ends the process
   * @return empty in a build without CUDA, and where the layout is not known
   */
  public static Optional<Peaks> peaks(int device) {
    return allocator()
        .map(allocator -> {
          var function =
              Symbols.at(
                  virtual(allocator, GET_DEVICE_STATS),
                  FunctionDescriptor.of(DEVICE_STATS, JAVA_LONG, JAVA_BYTE));
          try (Arena arena = Arena.ofConfined()) {
            MemorySegment stats =
                (MemorySegment)
                    function.invokeExact(
                        (SegmentAllocator) arena, allocator.address(), (byte) device);
            return new Peaks(
                stats.get(JAVA_LONG, ALLOCATED_PEAK), stats.get(JAVA_LONG, RESERVED_PEAK));
          } catch (Throwable e) {
            throw TensorAbi.fatal(e);
          }
        });
  }

  /** Begins anew with what is allocated and reserved now; as {@link #peaks}. */
  public static void resetPeaks(int device) {
    allocator()
        .ifPresent(allocator -> {
          var function =
              Symbols.at(
                  virtual(allocator, RESET_PEAK_STATS),
                  FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_BYTE));
          try {
            function.invokeExact(allocator.address(), (byte) device);
          } catch (Throwable e) {
            throw TensorAbi.fatal(e);
          }
        });
  }

  /**
   * Gives the memory that is kept for later tensors back to the devices ({@code
   * torch.cuda.empty_cache}); where the allocator is not known, nothing happens. Not while a graph
   * is captured, nor after work that has failed: LibTorch would end the process.
   */
  public static void emptyCache() {
    allocator()
        .ifPresent(allocator -> {
          // The pool, a pair of two numbers, of which 0 and 0 are all.
          var function =
              Symbols.at(
                  virtual(allocator, EMPTY_CACHE),
                  FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG, JAVA_LONG));
          try {
            function.invokeExact(allocator.address(), 0L, 0L);
          } catch (Throwable e) {
            throw TensorAbi.fatal(e);
          }
        });
  }

  /** The allocator in use, an object that begins with the address of its table. */
  private static Optional<MemorySegment> allocator() {
    LibTorch library = LibTorch.load();
    if (library.version().compareTo(NEWEST_KNOWN) > 0) {
      return Optional.empty();
    }
    return library
        .find(ALLOCATOR)
        .map(variable -> variable.reinterpret(Long.BYTES).get(ADDRESS, 0))
        .filter(allocator -> allocator.address() != 0)
        .map(allocator -> allocator.reinterpret(Long.BYTES));
  }

  private static MemorySegment virtual(MemorySegment object, int place) {
    long table = object.get(JAVA_LONG, 0);
    return MemorySegment.ofAddress(table)
        .reinterpret((place + 1L) * Long.BYTES)
        .getAtIndex(ADDRESS, place);
  }
}
