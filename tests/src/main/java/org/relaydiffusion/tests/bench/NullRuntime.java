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
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.torch.Device;

/** The null runtime of this process, asked about a part of what the process does. */
final class NullRuntime {
  private static final String OUT = "NULLCUDA_OUT";
  private static final String RESET = "nullcuda_reset";
  private static final String PART = "part";

  private NullRuntime() {}

  /**
   * Counts what {@code work} asks of it.
   *
   * @param device on which it should be done
   */
  static RunCounts count(Device device, Runnable work) {
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
      dump.invokeExact(arena.allocateFrom(PART));
      return RunCounts.parse(Files.readAllLines(counts), PART, device.index()).getLast();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
