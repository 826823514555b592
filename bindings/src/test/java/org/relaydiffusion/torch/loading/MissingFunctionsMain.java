// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.loading;

import org.relaydiffusion.nativeconfig.NativeLibraryException;
import org.relaydiffusion.nativeconfig.NativeThreads;
import org.relaydiffusion.torch.CudaPrecision;
import org.relaydiffusion.torch.CudaPrecision.Tf32;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.PackedConv2d;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/** Calls what needs a missing function, and what does not, and prints what came of it. */
final class MissingFunctionsMain {
  private MissingFunctionsMain() {}

  public static void main(String[] arguments) {
    for (int i = 0; i < 2; i++) {
      report("precision", CudaPrecision.FULL::apply);
      report("tf32", () -> CudaPrecision.setTf32(Tf32.FORBIDDEN));
      report("otherPrecisions", MissingFunctionsMain::requireTf32Forbidden);
      report("randint", () -> draw(Draw.INTEGERS));
      report("restore", () -> Generator.global().restore(Generator.global().state()));
      report("requiresGrad", () -> tensor().requiresGrad(true));
      report("chunk", () -> Shapes.chunk(tensor(), 2, 0));
      report("benchmarkCudnn", Torch::benchmarkCudnn);
      report("randn", () -> draw(Draw.NORMAL));
      report("state", () -> Generator.global().state());
      report("threads", NativeThreads::threads);
      report("noGrad", () -> GradMode.noGrad().close());
      report("sum", () -> Pointwise.add(tensor(), tensor()).toFloats());
      report("convolution", MissingFunctionsMain::convolution);
    }
  }

  /** A function that is missing takes no other setting with it. */
  private static void requireTf32Forbidden() {
    CudaPrecision now = CudaPrecision.current();
    if (!now.equals(CudaPrecision.DEFAULT.with(Tf32.FORBIDDEN))) {
      throw new NativeLibraryException(now.toString());
    }
  }

  private enum Draw {
    INTEGERS,
    NORMAL
  }

  private static void draw(Draw draw) {
    try (Generator generator = Generator.seeded(1)) {
      switch (draw) {
        case INTEGERS -> generator.randint(3, 2);
        case NORMAL -> generator.randn(DType.FLOAT32, 2);
      }
    }
  }

  /** Which has a slower way round the function that it prefers. */
  private static void convolution() {
    try (Tensor weight = Torch.ones(DType.FLOAT32, 16, 16, 3, 3);
        PackedConv2d packed = PackedConv2d.pack(weight, null, 1, 8)) {
      packed.apply(Torch.ones(DType.FLOAT32, 1, 16, 8, 8)).toFloats();
    }
  }

  private static Tensor tensor() {
    return Torch.full(1, DType.FLOAT32, Device.CPU, 2);
  }

  private static void report(String name, Runnable call) {
    try (TensorScope _ = TensorScope.open()) {
      call.run();
      System.out.println(name + " works");
    } catch (NativeLibraryException e) {
      System.out.println(name + " lacks: " + e.getMessage());
    }
  }
}
