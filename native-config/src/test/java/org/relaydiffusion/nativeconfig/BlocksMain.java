// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Takes a block of memory, writes to all of it and frees it, a few times, with LibTorch's or the C
 * library's own pair of functions; the former keeps to boundaries, which costs a fresh place now
 * and then. Says whether the block is asked to lie in huge pages, and the page faults of the time
 * that made fewest: once the JVM's own small blocks have found other places, the same memory is
 * used again.
 */
final class BlocksMain {
  private static final FunctionDescriptor ALLOCATE =
      FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG);
  private static final FunctionDescriptor FREE = FunctionDescriptor.ofVoid(ValueLayout.ADDRESS);

  private static final int TIMES = 6;

  private BlocksMain() {}

  public static void main(String[] arguments) throws IOException {
    long size = Long.parseLong(arguments[0]);
    LibTorch library = LibTorch.load(Settings.APPLICATION);
    SymbolLookup system = Linker.nativeLinker().defaultLookup();
    SymbolLookup symbols = name -> library.find(name).or(() -> system.find(name));
    MemorySegment allocate = symbols.find(arguments[1]).orElseThrow();
    MemorySegment free = symbols.find(arguments[2]).orElseThrow();
    boolean huge = false;
    long fewest = Long.MAX_VALUE;
    for (int i = 0; i < TIMES; i++) {
      long before = faults();
      MemorySegment block = (MemorySegment) Downcall.call(allocate, ALLOCATE, size);
      block.reinterpret(size).fill((byte) i);
      fewest = Math.min(fewest, faults() - before);
      if (i == TIMES - 1) {
        huge = isHuge(block.address() + size / 2);
      }
      Downcall.run(free, FREE, block);
    }
    System.out.printf("huge pages %b, faults %s%n", huge, fewest);
  }

  /** The faults of this process so far that needed no disk. */
  private static long faults() throws IOException {
    String stat = Files.readString(Path.of("/proc/self/stat"));
    return Long.parseLong(stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1)[7]);
  }

  /** Whether the kernel was asked for huge pages at an address. */
  private static boolean isHuge(long address) throws IOException {
    boolean here = false;
    for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
      if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
        String[] range = line.substring(0, line.indexOf(' ')).split("-", -1);
        here =
            Long.parseUnsignedLong(range[0], 16) <= address
                && address < Long.parseUnsignedLong(range[1], 16);
      } else if (here && line.startsWith("VmFlags:")) {
        return line.contains(" hg");
      }
    }
    return false;
  }
}
