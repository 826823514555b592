// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Reduction;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorData;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * One forward pass of the official shapes with random weights, in all numerics, compared with the
 * throughput of the network's largest convolution alone. The variants alternate, so that a slowdown
 * of the machine affects all of them; the figures are medians.
 *
 * <p>Arguments: {@code [64|256] [batch] [rounds]}; default 64 4 7.
 */
public final class ForwardBenchmark {
  private static final List<Variant> VARIANTS =
      List.of(
          new Variant("exact", Numerics.EXACT, DType.FLOAT32),
          new Variant("fast", Numerics.FAST, DType.FLOAT32),
          new Variant("fast bf16", Numerics.FAST, DType.BFLOAT16));

  private record Variant(String name, Numerics numerics, DType dtype) {}

  private record Measured(double seconds, double convolutionRate) {}

  private ForwardBenchmark() {}

  /** Runs the benchmark. */
  public static void main(String[] args) {
    LibTorch.configure(Settings.APPLICATION);
    int resolution = args.length > 0 ? Integer.parseInt(args[0]) : 64;
    int batch = args.length > 1 ? Integer.parseInt(args[1]) : 4;
    int rounds = args.length > 2 ? Integer.parseInt(args[2]) : 7;
    ModelConfig config = ModelConfig.of("EDMPrecond", OfficialNetworks.adm(resolution));
    double flops = batch * FlopCount.of(config.network());
    try (GradMode _ = GradMode.noGrad();
        Generator generator = Generator.seeded(1)) {
      System.out.printf(
          Locale.ROOT,
          "ADM %d px, batch %d: %.0f GFLOP a pass, LibTorch %s, %d rounds%n",
          resolution,
          batch,
          flops / 1e9,
          Torch.library().version(),
          rounds);
      run(config, batch, rounds, flops, generator);
    }
  }

  private static void run(
      ModelConfig config, int batch, int rounds, double flops, Generator generator) {
    List<Preconditioner> networks = new ArrayList<>();
    try (TensorScope _ = TensorScope.open()) {
      Map<String, TensorData> state = randomState(config, generator);
      for (Variant v : VARIANTS) {
        networks.add(
            Preconditioner.load(config, state, new LoadOptions(v.numerics, v.dtype, Device.CPU)));
      }
      int r = config.resolution();
      Tensor x = generator.randn(DType.FLOAT32, batch, config.channels(), r, r);
      Tensor sigma = Torch.full(2, DType.FLOAT64, batch);
      List<List<Measured>> all = new ArrayList<>();
      List<Tensor> outputs = new ArrayList<>();
      for (int i = 0; i < VARIANTS.size(); i++) {
        all.add(new ArrayList<>());
        outputs.add(networks.get(i).denoise(x, sigma, null));
      }
      LargestConvolution convolution = new LargestConvolution(config.network(), batch, generator);
      for (int round = 0; round < rounds; round++) {
        for (int i = 0; i < VARIANTS.size(); i++) {
          double rate = convolution.rate(VARIANTS.get(i).numerics, VARIANTS.get(i).dtype);
          long start = System.nanoTime();
          networks.get(i).denoise(x, sigma, null).close();
          all.get(i).add(new Measured((System.nanoTime() - start) / 1e9, rate));
        }
      }
      print(all, outputs, flops);
    } finally {
      networks.forEach(Preconditioner::close);
    }
  }

  /** Replaces all zeros of a new network, with which the variants would agree in any case. */
  static Map<String, TensorData> randomState(ModelConfig config, Generator generator) {
    Map<String, TensorData> state = new LinkedHashMap<>();
    try (Preconditioner network = Preconditioner.of(config)) {
      network
          .state()
          .forEach((name, p) -> {
            long[] shape = p.shape();
            Tensor drawn = generator.randn(DType.FLOAT32, shape);
            Tensor value =
                p.kind() == Parameter.Kind.BUFFER
                    ? p.initializer().make(generator, shape)
                    : shape.length > 1
                        ? drawn.div(Math.sqrt((double) p.numel() / shape[0]))
                        : name.endsWith(".weight") ? drawn.mul(0.1).add(1) : drawn.mul(0.1);
            MemorySegment kept =
                Arena.ofAuto().allocate(value.memory().byteSize(), 64).copyFrom(value.memory());
            state.put(name, TensorData.contiguous(DType.FLOAT32, shape, kept));
            value.close();
            drawn.close();
          });
    }
    return state;
  }

  private static void print(List<List<Measured>> all, List<Tensor> outputs, double flops) {
    System.out.printf(
        "%-10s %9s %9s %18s %7s %22s%n",
        "variant", "seconds", "GFLOP/s", "convolution alone", "ratio", "distance from exact");
    double scale = Reduction.amax(Pointwise.abs(outputs.getFirst()), Reduction.KeepDim.NO).item();
    for (int i = 0; i < VARIANTS.size(); i++) {
      double seconds = Samples.median(all.get(i).stream().mapToDouble(Measured::seconds).toArray());
      double conv =
          Samples.median(all.get(i).stream().mapToDouble(Measured::convolutionRate).toArray());
      double ratio =
          Samples.median(
              all.get(i).stream()
                  .mapToDouble(m -> flops / m.seconds() / m.convolutionRate())
                  .toArray());
      double distance =
          Reduction.amax(
                      Pointwise.abs(outputs.get(i).sub(outputs.getFirst())), Reduction.KeepDim.NO)
                  .item()
              / scale;
      System.out.printf(
          Locale.ROOT,
          "%-10s %9.3f %9.0f %18.0f %7.2f %22.2g%n",
          VARIANTS.get(i).name,
          seconds,
          flops / seconds / 1e9,
          conv / 1e9,
          ratio,
          distance);
    }
  }
}
