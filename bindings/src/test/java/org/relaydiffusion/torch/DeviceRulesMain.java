// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Prints {@code device_rules.txt}: what LibTorch does in each of {@link DeviceRuleCases}. It needs
 * a LibTorch with CUDA over a CUDA runtime that counts its calls ({@code libcudart} with {@code
 * nullcuda_reset} and {@code nullcuda_dump}, which appends to the file {@code NULLCUDA_OUT}); no
 * GPU.
 */
final class DeviceRulesMain {
  private DeviceRulesMain() {}

  public static void main(String[] args) throws Throwable {
    Device device = Device.cuda(0);
    Torch.full(1, DType.FLOAT32, device, 2).close();
    Path counts = Path.of(System.getenv("NULLCUDA_OUT"));
    SymbolLookup runtime = SymbolLookup.libraryLookup(args[0], Arena.global());
    Linker linker = Linker.nativeLinker();
    MethodHandle reset =
        linker.downcallHandle(
            runtime.find("nullcuda_reset").orElseThrow(), FunctionDescriptor.ofVoid());
    MethodHandle dump =
        linker.downcallHandle(
            runtime.find("nullcuda_dump").orElseThrow(),
            FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));
    MemorySegment name = Arena.global().allocateFrom("case");
    for (Map.Entry<String, Consumer<Device>> c : DeviceRuleCases.all().entrySet()) {
      String outcome = "free";
      Files.deleteIfExists(counts);
      try (TensorScope _ = TensorScope.open()) {
        reset.invokeExact();
        c.getValue().accept(device);
        dump.invokeExact(name);
        if (stalls(Files.readAllLines(counts))) {
          outcome = "stalls";
        }
      } catch (TorchException e) {
        outcome = "refused";
        System.err.println(c.getKey() + ": " + e.getMessage());
      }
      System.out.println(c.getKey() + " = " + outcome);
    }
  }

  /** Whether there was a copy between the CPU and a device, or a wait. */
  private static boolean stalls(List<String> counts) throws IOException {
    return counts.stream()
        .anyMatch(
            l -> l.contains("copy H2D") || l.contains("copy D2H") || l.contains("Synchronize"));
  }
}
