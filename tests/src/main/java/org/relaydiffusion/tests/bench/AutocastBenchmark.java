// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.nativeconfig.Doctor;
import org.relaydiffusion.nativeconfig.DoctorReport;
import org.relaydiffusion.nativeconfig.NativeThreads;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorData;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;

/**
 * A forward pass in bfloat16 on the CPU beside the same network under PyTorch's autocast, which
 * runs in processes of its own ({@code tests/python/forward.py}). All of them wait while one
 * computes, and they take turns pass by pass, so that a machine that slows down slows all of them.
 * Ratios are medians over the rounds.
 *
 * <p>Arguments: {@code [64|256] [batch] [rounds]}; 64 4 7 when left out. The command that starts
 * Python is taken from {@code RDM_PYTHON}; python3 when it is not set. {@code OMP_NUM_THREADS}
 * holds for both.
 */
public final class AutocastBenchmark {
  private static final String OURS = "ours, fast bf16";

  /** What of a pass took time: seconds of the clock, and of all threads. */
  private record Seconds(double wall, double processor) {}

  /** Something that runs a pass when it is told to. */
  private interface Variant extends AutoCloseable {
    Seconds pass();

    @Override
    void close();
  }

  private AutocastBenchmark() {}

  /** Runs the benchmark. */
  public static void main(String[] args) throws IOException {
    int resolution = args.length > 0 ? Integer.parseInt(args[0]) : 64;
    int batch = args.length > 1 ? Integer.parseInt(args[1]) : 4;
    int rounds = args.length > 2 ? Integer.parseInt(args[2]) : 7;
    DoctorReport.Machine machine = Doctor.examine().machine();
    System.out.printf("%s, %s%n", machine.cpu(), String.join(" ", machine.cpuFeatures()));
    System.out.printf(
        "ADM %s px, batch %s, %s rounds, %s threads, LibTorch %s%n",
        resolution, batch, rounds, NativeThreads.threads(), Torch.library().version());
    Map<String, Variant> variants = new LinkedHashMap<>();
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open()) {
      List<String> shape = List.of("" + resolution, "" + batch, "" + NativeThreads.threads());
      variants.put("autocast", Python.start(shape, List.of()));
      variants.put("autocast, channels_last", Python.start(shape, List.of("channels_last")));
      ModelConfig config = ModelConfig.of("EDMPrecond", OfficialNetworks.adm(resolution));
      Map<String, TensorData> state;
      try (Generator generator = Generator.seeded(1)) {
        state = ForwardBenchmark.randomState(config, generator);
      }
      variants.put("ours, fast float32", Network.load(config, state, batch, DType.FLOAT32));
      variants.put(OURS, Network.load(config, state, batch, DType.BFLOAT16));
      Map<String, List<Seconds>> all = new LinkedHashMap<>();
      variants.keySet().forEach(name -> all.put(name, new ArrayList<>()));
      // The first pass packs weights for the batch, and fetches memory.
      variants.values().forEach(Variant::pass);
      for (int round = 0; round < rounds; round++) {
        variants.forEach((name, v) -> of(all, name).add(v.pass()));
      }
      print(all);
    } finally {
      variants.values().forEach(Variant::close);
    }
  }

  private static List<Seconds> of(Map<String, List<Seconds>> all, String name) {
    return all.computeIfAbsent(name, _ -> new ArrayList<>());
  }

  private static void print(Map<String, List<Seconds>> all) {
    List<Seconds> ours = of(all, OURS);
    System.out.printf(
        "%-24s %9s %7s %11s %7s%n", "variant", "seconds", "ratio", "processor", "ratio");
    all.forEach((name, passes) -> {
      double[] wall = new double[passes.size()];
      double[] processor = new double[passes.size()];
      for (int i = 0; i < passes.size(); i++) {
        wall[i] = passes.get(i).wall / ours.get(i).wall;
        processor[i] = passes.get(i).processor / ours.get(i).processor;
      }
      System.out.printf(
          Locale.ROOT,
          "%-24s %9.3f %7.2f %11.3f %7.2f%n",
          name,
          Samples.median(passes.stream().mapToDouble(Seconds::wall).toArray()),
          Samples.median(wall),
          Samples.median(passes.stream().mapToDouble(Seconds::processor).toArray()),
          Samples.median(processor));
    });
    System.out.println("Ratios are to '" + OURS + "', of the same round.");
  }

  /** A network of this project. */
  private record Network(Preconditioner network, Tensor x, Tensor sigma) implements Variant {
    static Network load(ModelConfig config, Map<String, TensorData> state, int batch, DType dtype) {
      LoadOptions options = new LoadOptions(Numerics.FAST, dtype, Device.CPU);
      try (Generator generator = Generator.seeded(2)) {
        int side = config.resolution();
        return new Network(
            Preconditioner.load(config, state, options),
            generator.randn(DType.FLOAT32, batch, config.channels(), side, side),
            Torch.full(2, DType.FLOAT64, batch));
      }
    }

    @Override
    public Seconds pass() {
      OperatingSystemMXBean os =
          (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
      long processor = os.getProcessCpuTime();
      long wall = System.nanoTime();
      network.denoise(x, sigma, null).close();
      return new Seconds(
          (System.nanoTime() - wall) / 1e9, (os.getProcessCpuTime() - processor) / 1e9);
    }

    @Override
    public void close() {
      network.close();
    }
  }

  /** PyTorch, in a process that runs a pass for each line that it is sent. */
  private record Python(Process process, Writer in, BufferedReader out) implements Variant {
    static Python start(List<String> shape, List<String> flags) throws IOException {
      List<String> command = new ArrayList<>();
      String python = System.getenv().getOrDefault("RDM_PYTHON", "python3");
      command.addAll(List.of(python.strip().split("\\s+")));
      Path program = Path.of(System.getProperty("rdm.tests"), "python", "forward.py");
      // As an argument, since Python may see another file system.
      command.addAll(List.of("-c", Files.readString(program)));
      command.addAll(shape);
      command.addAll(flags);
      ProcessBuilder builder =
          new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
      // Its own pool would fight OpenMP's.
      builder.environment().putIfAbsent("OPENBLAS_NUM_THREADS", "1");
      builder.environment().put("OMP_NUM_THREADS", shape.getLast());
      Process process = builder.start();
      Python started = new Python(process, process.outputWriter(), process.inputReader());
      System.out.println(started.line());
      return started;
    }

    @Override
    public Seconds pass() {
      try {
        in.write("pass\n");
        in.flush();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      String[] seconds = line().split(" ", -1);
      return new Seconds(Double.parseDouble(seconds[0]), Double.parseDouble(seconds[1]));
    }

    private String line() {
      try {
        String line = out.readLine();
        if (line == null) {
          throw new IllegalStateException("Python ended");
        }
        return line;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public void close() {
      process.destroy();
    }
  }
}
