// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.NetworkRecord;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.Settings;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;

/**
 * Time and memory for loading the EMA from a training state of official size, each variant in a
 * separate JVM. The growth is that of the resident set size over the JVM with LibTorch; pages of
 * the mapped file count while they are resident.
 *
 * <p>Arguments: {@code [folder]}, in which about 9 GB are written and deleted afterwards; default
 * is the system's folder for temporary files.
 */
public final class LoadBenchmark {
  /** The maximum growth, relative to the size of the network alone. */
  private static final double LIMIT = 1.15;

  private static final Map<String, LoadOptions> VARIANTS =
      Map.of(
          "exact", LoadOptions.EXACT,
          "fast", LoadOptions.DEFAULT,
          "bf16", new LoadOptions(Numerics.FAST, DType.BFLOAT16, Device.CPU));

  private LoadBenchmark() {}

  /** Runs the benchmark. */
  public static void main(String[] args) throws IOException, InterruptedException {
    LibTorch.configure(Settings.APPLICATION);
    if (args.length == 3 && args[0].equals("--child")) {
      load(Path.of(args[1]), args[2]);
      return;
    }
    Path folder =
        Path.of(args.length > 0 ? args[0] : System.getProperty("java.io.tmpdir")).toAbsolutePath();
    // Weights, their EMA and Adam's two moments, four bytes each.
    long needed = 17 * SyntheticCheckpoint.parameterCount(OfficialNetworks.adm256());
    Files.createDirectories(folder);
    long free = Files.getFileStore(folder).getUsableSpace();
    if (free < needed) {
      System.err.printf(
          Locale.ROOT,
          "%s has %.1f GB free, but %.1f GB are required: choose another folder%n",
          folder,
          free / 1e9,
          needed / 1e9);
      System.exit(1);
    }
    Path file = Files.createTempFile(folder, "rdm-load-", ".pt");
    try {
      run(file);
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private static void run(Path file) throws IOException, InterruptedException {
    long start = System.nanoTime();
    SyntheticCheckpoint.Written written =
        SyntheticCheckpoint.write(file, OfficialNetworks.adm256());
    System.out.printf(
        Locale.ROOT,
        "a training state of %.2f GB, written in %.0f s; its ema has %.1f M parameters, %.3f GB%n",
        written.fileBytes() / 1e9,
        (System.nanoTime() - start) / 1e9,
        written.parameters() / 1e6,
        written.networkBytes() / 1e9);
    System.out.printf(
        "%-8s %9s %12s %11s %12s %11s %8s%n",
        "variant", "seconds", "before (MB)", "peak (MB)", "growth (MB)", "growth/ema", "limit");
    for (String variant : List.of("exact", "fast", "bf16")) {
      double[] figures = child(file, variant);
      double growth = figures[2] - figures[1];
      double ratio = growth / written.networkBytes();
      System.out.printf(
          Locale.ROOT,
          "%-8s %9.2f %12.0f %11.0f %12.0f %11.3f %8s%n",
          variant,
          figures[0],
          figures[1] / 1e6,
          figures[2] / 1e6,
          growth / 1e6,
          ratio,
          ratio <= LIMIT ? "kept" : "BROKEN");
    }
  }

  private static double[] child(Path file, String variant)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("--enable-native-access=ALL-UNNAMED");
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(LoadBenchmark.class.getName(), "--child", file.toString(), variant));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    List<String> output = process.inputReader().lines().toList();
    if (process.waitFor() != 0 || output.isEmpty()) {
      throw new IllegalStateException("the child for %s failed".formatted(variant));
    }
    String[] parts = output.getLast().split(" ", -1);
    return new double[] {
      Double.parseDouble(parts[0]), Double.parseDouble(parts[1]), Double.parseDouble(parts[2])
    };
  }

  private static void load(Path file, String variant) {
    LoadOptions options = VARIANTS.get(variant);
    if (options == null) {
      throw new IllegalArgumentException("there is no variant " + variant);
    }
    try (GradMode _ = GradMode.noGrad();
        Tensor warm = Torch.ones(DType.FLOAT32, 8)) {
      warm.mul(warm).close();
      long before = ProcessMemory.resident();
      long start = System.nanoTime();
      try (Checkpoint checkpoint = Checkpoint.open(file)) {
        NetworkRecord record = checkpoint.network();
        ModelConfig config = ModelConfig.of(record.className(), record.initKwargs());
        try (Preconditioner _ = Preconditioner.load(config, record.state(), options)) {
          double seconds = (System.nanoTime() - start) / 1e9;
          System.out.println(seconds + " " + before + " " + ProcessMemory.peak());
        }
      }
    }
  }
}
