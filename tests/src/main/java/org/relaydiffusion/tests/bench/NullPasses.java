// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

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
import org.relaydiffusion.RdmException;
import org.relaydiffusion.metrics.inception.Inception;
import org.relaydiffusion.model.CudaGraphs;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * Passes of the official shapes with random weights on the null runtime, each of which is counted
 * on its own. A process of {@link NullRuns}; arguments: its folder, and the device.
 */
final class NullPasses {
  /** Passes that are counted, after others. */
  static final int PASSES = 2;

  private static final int BATCH = 4;
  private static final int PICTURE = 256;

  private final MethodHandle reset;
  private final MethodHandle dump;

  private NullPasses(Path folder) {
    SymbolLookup runtime =
        SymbolLookup.libraryLookup(folder.resolve(NullRuns.RUNTIME), Arena.global());
    Linker linker = Linker.nativeLinker();
    reset =
        linker.downcallHandle(
            runtime.find("nullcuda_reset").orElseThrow(), FunctionDescriptor.ofVoid());
    dump =
        linker.downcallHandle(
            runtime.find("nullcuda_dump").orElseThrow(),
            FunctionDescriptor.ofVoid(ValueLayout.ADDRESS));
  }

  /** Runs them. */
  public static void main(String[] args) throws IOException {
    LibTorch.configure(Settings.APPLICATION);
    Device device = Device.parse(args[1]);
    Torch.requireUsable(device);
    NullPasses passes = new NullPasses(Path.of(args[0]));
    try (GradMode _ = GradMode.noGrad()) {
      GpuNetwork small = new GpuNetwork(64);
      for (GpuCase.Variant variant : GpuCase.Variant.values()) {
        passes.denoise(small, variant, device);
      }
      passes.denoise(new GpuNetwork(256), GpuCase.Variant.BF16, device);
      passes.inception(device);
    }
  }

  /** The title of the counts of a variant. */
  static String title(int network, GpuCase.Variant variant, GpuCase.Mode mode) {
    return "ADM %s px, %s, %s, batch %s".formatted(network, variant.text, mode.text, BATCH);
  }

  /** The title of the counts of Inception. */
  static String inceptionTitle(Numerics numerics) {
    return "Inception-v3, %s, batch %s"
        .formatted(numerics == Numerics.FAST ? "fast" : "exact", BATCH);
  }

  private void denoise(GpuNetwork weights, GpuCase.Variant variant, Device device) {
    int resolution = weights.resolution();
    try (Preconditioner network = weights.load(variant, device, CudaGraphs.OFF)) {
      for (GpuCase.Mode mode : GpuCase.Mode.values()) {
        GpuCase c = new GpuCase(resolution, variant, GpuCase.Layout.ROWS, BATCH, mode);
        try (GpuPass pass = new GpuPass(network, c)) {
          count(title(resolution, variant, mode), pass::launch);
        } catch (RdmException e) {
          System.out.println(title(resolution, variant, mode) + ": " + e.getMessage());
        }
      }
    }
  }

  private void inception(Device device) throws IOException {
    Path folder = Files.createTempDirectory("inception");
    try (TensorScope _ = TensorScope.open()) {
      Path weights = RandomInception.write(folder);
      Tensor images = Torch.zeros(DType.UINT8, device, BATCH, 3, PICTURE, PICTURE);
      for (Numerics numerics : Numerics.values()) {
        try (Inception network =
            Inception.open(weights, new LoadOptions(numerics, DType.FLOAT32, device))) {
          Runnable pass =
              () -> {
                try (TensorScope _ = TensorScope.open()) {
                  var _ = network.features(images);
                }
              };
          pass.run();
          count(inceptionTitle(numerics), pass);
        }
      }
    } finally {
      TemporaryFolder.delete(folder);
    }
  }

  private void count(String title, Runnable pass) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocateFrom(title);
      reset.invokeExact();
      for (int i = 0; i < PASSES; i++) {
        pass.run();
      }
      dump.invokeExact(text);
    } catch (RuntimeException e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }
}
