// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.torch.Device;

/**
 * What some work asked of a CUDA runtime that computes nothing and counts: the null runtime, which
 * takes the place of CUDA's own libraries.
 *
 * @param launches kernels of LibTorch's own, and of cuBLAS and cuDNN, whose calls count as one
 * @param graphs launches of captured graphs
 * @param copies between the host and a device
 * @param waits of the host for a device
 * @param illegal what a captured graph cannot have
 * @param elsewhere launches on another device than the one that was meant
 */
record NullCounts(
    long launches, long graphs, long copies, long waits, long illegal, long elsewhere) {
  private static final String OUT = "NULLCUDA_OUT";
  private static final String RESET = "nullcuda_reset";
  private static final Pattern KERNELS =
      Pattern.compile("== nullcuda .*: (\\d+) kernel launches.*");
  private static final Pattern COUNT = Pattern.compile(" +(\\d+) (.*)");

  /**
   * Counts what {@code work} does.
   *
   * @param device on which it should be done
   */
  static NullCounts of(Device device, Runnable work) {
    String file = System.getenv(OUT);
    LibTorch library = LibTorch.load();
    if (file == null || library.find(RESET).isEmpty()) {
      throw new IllegalStateException(
          "this program counts on the null runtime: set RDM_LIBTORCH, LD_LIBRARY_PATH and " + OUT);
    }
    Linker linker = Linker.nativeLinker();
    MethodHandle reset =
        linker.downcallHandle(library.function(RESET), FunctionDescriptor.ofVoid());
    MethodHandle dump =
        linker.downcallHandle(
            library.function("nullcuda_dump"), FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));
    try (Arena arena = Arena.ofConfined()) {
      Path counts = Path.of(file);
      Files.deleteIfExists(counts);
      reset.invokeExact();
      work.run();
      dump.invokeExact(arena.allocateFrom("work"));
      return parsed(Files.readAllLines(counts), "launch on device " + device.index());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private static NullCounts parsed(List<String> lines, String here) {
    long launches = 0;
    long graphs = 0;
    long copies = 0;
    long waits = 0;
    long illegal = 0;
    long elsewhere = 0;
    for (String line : lines) {
      Matcher kernels = KERNELS.matcher(line);
      if (kernels.matches()) {
        launches += Long.parseLong(kernels.group(1));
        continue;
      }
      Matcher count = COUNT.matcher(line);
      if (!count.matches()) {
        continue;
      }
      long n = Long.parseLong(count.group(1));
      String what = count.group(2);
      if (what.contains("DURING CAPTURE")) {
        illegal += n;
      } else if (what.startsWith("cublas") || what.startsWith("cudnn")) {
        launches += n;
      } else if (what.startsWith("cudaGraphLaunch")) {
        graphs += n;
      } else if (what.startsWith("copy H2D") || what.startsWith("copy D2H")) {
        copies += n;
      } else if (what.matches("cuda(Stream|Event|Device)Synchronize.*")) {
        waits += n;
      } else if (what.startsWith("launch on device ") && !what.equals(here)) {
        elsewhere += n;
      }
    }
    return new NullCounts(launches, graphs, copies, waits, illegal, elsewhere);
  }

  /** What there is more of than in {@code other}. */
  NullCounts minus(NullCounts other) {
    return new NullCounts(
        launches - other.launches,
        graphs - other.graphs,
        copies - other.copies,
        waits - other.waits,
        illegal - other.illegal,
        elsewhere - other.elsewhere);
  }

  /** Each divided by {@code n}. */
  NullCounts over(long n) {
    return new NullCounts(
        launches / n, graphs / n, copies / n, waits / n, illegal / n, elsewhere / n);
  }
}
