// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.relaydiffusion.metrics.inception.Inception;
import org.relaydiffusion.metrics.inception.InceptionFeatures;
import org.relaydiffusion.metrics.inception.InceptionV3;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * Features of 256 px images from Inception-v3 with random weights, in both numerics, including the
 * resize. The variants alternate, so that a slowdown of the machine affects both; the figures are
 * medians.
 *
 * <p>Arguments: {@code [batch] [rounds] [device]}; default 16 7 cpu.
 */
public final class InceptionBenchmark {
  private static final int IMAGE = 256;

  private InceptionBenchmark() {}

  /** Runs the benchmark. */
  public static void main(String[] args) throws IOException {
    LibTorch.configure(Settings.APPLICATION);
    int batch = args.length > 0 ? Integer.parseInt(args[0]) : 16;
    int rounds = args.length > 1 ? Integer.parseInt(args[1]) : 7;
    Device device = args.length > 2 ? Device.parse(args[2]) : Device.CPU;
    Path folder = Files.createTempDirectory("inception");
    try (GradMode _ = GradMode.noGrad();
        Generator generator = Generator.seeded(1)) {
      double flops = operations(generator);
      Path weights = RandomInception.write(folder);
      System.out.printf(
          Locale.ROOT,
          "Inception-v3, %d images of %d px on %s: %.2f GFLOP an image, LibTorch %s, %d rounds%n",
          batch,
          IMAGE,
          device,
          flops / 1e9,
          Torch.library().version(),
          rounds);
      run(weights, device, batch, rounds, flops, generator);
    } finally {
      TemporaryFolder.delete(folder);
    }
  }

  /** Counts the floating-point operations of one image's convolutions. */
  private static double operations(Generator generator) {
    try (InceptionV3 network = new InceptionV3();
        TensorScope _ = TensorScope.open()) {
      network.initialize(generator);
      Map<String, Parameter> state = network.state();
      double[] flops = new double[1];
      network.observe((path, y) -> {
        Parameter weight = state.get(path + ".weight");
        if (weight != null) {
          flops[0] += 2.0 * y.numel() * weight.numel() / weight.shape()[0];
        }
      });
      int size = InceptionV3.RESOLUTION;
      network.forward(Torch.zeros(DType.FLOAT32, 1, 3, size, size));
      return flops[0];
    }
  }

  private static void run(
      Path weights, Device device, int batch, int rounds, double flops, Generator generator) {
    List<Inception> variants = new ArrayList<>();
    List<double[]> seconds = new ArrayList<>();
    List<InceptionFeatures> features = new ArrayList<>();
    try (TensorScope _ = TensorScope.open()) {
      Tensor images =
          generator.rand(DType.FLOAT32, batch, 3, IMAGE, IMAGE).mul(255).to(DType.UINT8).to(device);
      for (Numerics numerics : Numerics.values()) {
        Inception variant =
            Inception.open(weights, new LoadOptions(numerics, DType.FLOAT32, device));
        variants.add(variant);
        seconds.add(new double[rounds]);
        features.add(variant.features(images));
      }
      for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < variants.size(); i++) {
          seconds.get(i)[round] = time(variants.get(i), images);
        }
      }
      System.out.printf(
          "%-8s %10s %9s %20s %20s%n",
          "variant", "images/s", "GFLOP/s", "distance from exact", "from a batch of one");
      for (int i = 0; i < variants.size(); i++) {
        double rate = batch / Samples.median(seconds.get(i));
        System.out.printf(
            Locale.ROOT,
            "%-8s %10.1f %9.0f %20.2g %20.2g%n",
            variants.get(i).options().numerics().name().toLowerCase(Locale.ROOT),
            rate,
            rate * flops / 1e9,
            distance(features.get(i), features.getFirst()),
            distance(alone(variants.get(i), images), features.get(i)));
      }
    } finally {
      variants.forEach(Inception::close);
    }
  }

  private static double time(Inception variant, Tensor images) {
    long start = System.nanoTime();
    try (InceptionFeatures features = variant.features(images)) {
      // On CUDA, a copy to the host synchronizes.
      features.pool().to(Device.CPU).close();
      return (System.nanoTime() - start) / 1e9;
    }
  }

  /** Computes the features of every image separately. */
  private static InceptionFeatures alone(Inception variant, Tensor images) {
    List<Tensor> pool = new ArrayList<>();
    List<Tensor> spatial = new ArrayList<>();
    for (long i = 0; i < images.size(0); i++) {
      InceptionFeatures one = variant.features(Shapes.narrow(images, 0, i, 1));
      pool.add(one.pool());
      spatial.add(one.spatial());
    }
    return new InceptionFeatures(Shapes.cat(pool, 0), Shapes.cat(spatial, 0));
  }

  /** Returns the larger of both tensors' largest differences, relative to their largest values. */
  private static double distance(InceptionFeatures a, InceptionFeatures b) {
    return Math.max(distance(a.pool(), b.pool()), distance(a.spatial(), b.spatial()));
  }

  private static double distance(Tensor a, Tensor b) {
    return largest(a.sub(b)) / largest(b);
  }

  private static double largest(Tensor x) {
    return Reduction.amax(Pointwise.abs(x), Reduction.KeepDim.NO).item();
  }
}
