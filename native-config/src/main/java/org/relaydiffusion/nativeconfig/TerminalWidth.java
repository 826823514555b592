// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** Queries the current width of the terminal, which its user may change at any time. */
public final class TerminalWidth {
  private static final int STANDARD_ERROR = 2;

  /** The width of a terminal that does not know its own, such as some serial lines. */
  private static final int USUAL = 80;

  /** {@code struct winsize}. */
  private static final StructLayout SIZE =
      MemoryLayout.structLayout(
          ValueLayout.JAVA_SHORT.withName("rows"),
          ValueLayout.JAVA_SHORT.withName("columns"),
          MemoryLayout.sequenceLayout(2, ValueLayout.JAVA_SHORT));

  private static final long COLUMNS =
      SIZE.byteOffset(MemoryLayout.PathElement.groupElement("columns"));

  private TerminalWidth() {}

  /**
   * Returns the number of columns of standard error; empty if it is not a terminal, or cannot be
   * queried.
   */
  public static OptionalInt ofStandardError() {
    MethodHandle ioctl = Holder.IOCTL;
    if (ioctl == null) {
      return OptionalInt.empty();
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment size = arena.allocate(SIZE);
      int code = (int) ioctl.invokeExact(STANDARD_ERROR, Holder.GET_SIZE, size);
      if (code != 0) {
        return OptionalInt.empty();
      }
      int columns = Short.toUnsignedInt(size.get(ValueLayout.JAVA_SHORT, COLUMNS));
      return OptionalInt.of(columns == 0 ? USUAL : columns);
    } catch (Error | RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException("ioctl throws nothing", e);
    }
  }

  /** Linked on first use: a run without a terminal does not need it. */
  private static final class Holder {
    private static final boolean IS_MAC = System.getProperty("os.name").startsWith("Mac");

    /** {@code TIOCGWINSZ}. */
    private static final long GET_SIZE = IS_MAC ? 0x40087468L : 0x5413L;

    private static final @Nullable MethodHandle IOCTL = ioctl();

    private static @Nullable MethodHandle ioctl() {
      Linker linker = Linker.nativeLinker();
      Optional<MemorySegment> function = linker.defaultLookup().find("ioctl");
      return function
          .map(address ->
              linker.downcallHandle(
                  address,
                  FunctionDescriptor.of(
                      ValueLayout.JAVA_INT,
                      ValueLayout.JAVA_INT,
                      ValueLayout.JAVA_LONG,
                      ValueLayout.ADDRESS),
                  Linker.Option.firstVariadicArg(2)))
          .orElse(null);
    }
  }
}
