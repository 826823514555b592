// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.model.CudaGraphs;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.model.safetensors.SafetensorsFile;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.LaunchGrid;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorData;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Whether a GPU computes what it should: the official code's recorded outputs, PyTorch's random
 * numbers, and graphs beside operators.
 */
final class GpuChecks {
  private static final String PASSED = "passed";
  private static final String FAILED = "FAILED";
  private static final String UNCHECKED = "not checked";

  private static final List<String> NETWORKS =
      List.of(
          "adm_cond_aug_attn",
          "adm_grey_cond",
          "adm_uncond_noattn",
          "iddpm_adm",
          "edm_ddpmpp_cond_aug",
          "ve_ncsnpp",
          "vp_ddpmpp");

  /**
   * Of the largest value of an output. Convolutions in float32 may use TensorFloat-32, which has 10
   * bits, as float16 has; bfloat16 has 7.
   */
  private static final Map<GpuCase.Variant, Double> TOLERANCES =
      new EnumMap<>(
          Map.of(
              GpuCase.Variant.EXACT, 5e-3,
              GpuCase.Variant.FAST, 5e-3,
              GpuCase.Variant.FP16, 0.02,
              GpuCase.Variant.BF16, 0.1));

  private static final long SEED = 80_000;

  /** Each is drawn twice; the last one is larger than any grid that images are drawn with. */
  private static final List<long[]> SHAPES =
      List.of(
          new long[] {1, 3, 64, 64},
          new long[] {1, 3, 256, 256},
          new long[] {7},
          new long[] {1, 3, 512, 512});

  private static final List<DType> DRAWN = List.of(DType.FLOAT32, DType.FLOAT64);

  /** Far more than a GPU's own sine and logarithm are off, and far less than another number. */
  private static final double SAME_NUMBER = 1e-3;

  private static final int PYTHON_SECONDS = 60;

  private final Device device;
  private final GpuReport report;
  private boolean ran;
  private boolean passed = true;

  GpuChecks(Device device, GpuReport report) {
    this.device = device;
    this.report = report;
  }

  boolean ran() {
    return ran;
  }

  boolean passed() {
    return passed;
  }

  /**
   * Makes all checks.
   *
   * @param seconds that are left; what Python needs is given up beyond them
   * @param weights of the official shape at 64 pixels
   */
  void all(double seconds, GpuNetwork weights) {
    ran = true;
    System.out.println();
    for (GpuCase.Variant variant : GpuCase.Variant.values()) {
      attempt("official outputs, " + variant.text, () -> outputs(variant));
    }
    for (GpuCase.Variant variant : List.of(GpuCase.Variant.BF16, GpuCase.Variant.FAST)) {
      attempt("graph beside eager, " + variant.text, () -> graphs(weights, variant));
    }
    attempt("random numbers", () -> draws(Math.min(PYTHON_SECONDS, seconds)));
    attempt("random numbers computed on the CPU", this::computedDraws);
  }

  /** A check: returns why it could not be made, or null; it throws when it fails. */
  private interface Check {
    String run() throws IOException, InterruptedException;
  }

  private static final class Failure extends RdmException {
    private static final long serialVersionUID = 1L;

    Failure(String message) {
      super(message);
    }
  }

  private static final class Unchecked extends RdmException {
    private static final long serialVersionUID = 1L;

    Unchecked(String message) {
      super(message);
    }
  }

  private void attempt(String what, Check check) {
    try {
      report.check(what, PASSED, check.run());
    } catch (Unchecked e) {
      report.check(what, UNCHECKED, String.valueOf(e.getMessage()));
    } catch (RdmException | IOException e) {
      passed = false;
      report.check(what, FAILED, String.valueOf(e.getMessage()));
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      report.check(what, UNCHECKED, "interrupted");
    }
  }

  private static Path fixtures() {
    return Path.of(System.getProperty("rdm.tests", "."), "fixtures");
  }

  // ---- the official code's outputs

  private String outputs(GpuCase.Variant variant) throws IOException {
    double tolerance = TOLERANCES.getOrDefault(variant, 0.0);
    double worst = 0;
    int calls = 0;
    String where = "";
    for (String name : NETWORKS) {
      Path folder = fixtures().resolve("networks").resolve(name);
      JsonNode config = new JsonMapper().readTree(Files.readString(folder.resolve("config.json")));
      try (SafetensorsFile weights = SafetensorsFile.open(folder.resolve("weights.safetensors"));
          SafetensorsFile io = SafetensorsFile.open(folder.resolve("io.safetensors"));
          Preconditioner network = network(config, weights.tensors(), variant)) {
        for (JsonNode call : config.get("calls")) {
          if (call.get("net").asString().equals("net") && !call.get("train").booleanValue()) {
            double distance =
                distance(network, io.tensors(), "call" + call.get("index").intValue());
            calls++;
            if (!(distance <= worst)) {
              worst = distance;
              where = name;
            }
          }
        }
      }
    }
    String words =
        "%s outputs of %s networks, at most %s of the largest value (%s), tolerance %s"
            .formatted(
                calls,
                NETWORKS.size(),
                GpuBenchmark.number("%.2g", worst),
                where,
                GpuBenchmark.number("%.2g", tolerance));
    if (!(worst <= tolerance)) {
      throw new Failure(words);
    }
    return words;
  }

  private Preconditioner network(
      JsonNode config, Map<String, TensorData> state, GpuCase.Variant variant) {
    @SuppressWarnings("unchecked") // JSON's objects have names.
    Map<String, Object> kwargs = new JsonMapper().treeToValue(config.get("init_kwargs"), Map.class);
    return Preconditioner.load(
        ModelConfig.of(config.get("class_name").asString(), kwargs),
        state,
        new LoadOptions(variant.numerics, variant.dtype, device));
  }

  private static double distance(Preconditioner network, Map<String, TensorData> io, String call) {
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open()) {
      Tensor x = tensor(io, call + ".x");
      Tensor sigma = tensor(io, call + ".sigma");
      Tensor expected = tensor(io, call + ".output");
      if (x == null || sigma == null || expected == null) {
        throw new Failure(call + " is missing in a fixture");
      }
      double[] found =
          network
              .denoise(
                  x,
                  sigma,
                  tensor(io, call + ".class_labels"),
                  tensor(io, call + ".augment_labels"))
              .toDoubles();
      double[] wanted = expected.toDoubles();
      double largest = Arrays.stream(wanted).map(Math::abs).max().orElse(1);
      return distance(found, wanted) / largest;
    }
  }

  private static @Nullable Tensor tensor(Map<String, TensorData> io, String name) {
    TensorData data = io.get(name);
    return data == null ? null : Torch.fromData(data);
  }

  // ---- graphs

  private String graphs(GpuNetwork weights, GpuCase.Variant variant) {
    double[] eager = twice(weights, variant, CudaGraphs.OFF);
    double[] graph = twice(weights, variant, CudaGraphs.ON);
    for (int i = 0; i < eager.length; i++) {
      if (Double.doubleToLongBits(eager[i]) != Double.doubleToLongBits(graph[i])) {
        throw new Failure(
            "ADM 64 px, batch 4: element %s is %s operator by operator, %s in a graph"
                .formatted(i, eager[i], graph[i]));
      }
    }
    return "ADM 64 px, batch 4, two noise levels: the same bits";
  }

  /** The images at two noise levels, the second after passes that a graph can be made of. */
  private double[] twice(GpuNetwork weights, GpuCase.Variant variant, CudaGraphs graphs) {
    int batch = 4;
    try (GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        Generator generator = Generator.seeded(3);
        Preconditioner network = weights.load(variant, device, graphs)) {
      Tensor x = generator.randn(DType.FLOAT32, batch, 3, 64, 64).to(device);
      Tensor labels = Torch.zeros(DType.FLOAT32, device, batch, network.labelDim());
      double[] all = {};
      for (double level : new double[] {2, 2, 2, 2, 0.5}) {
        Tensor sigma = Torch.full(level, DType.FLOAT32, device, batch);
        double[] more = network.denoise(x, sigma, labels).toDoubles();
        double[] joined = Arrays.copyOf(all, all.length + more.length);
        System.arraycopy(more, 0, joined, all.length, more.length);
        all = joined;
      }
      return all;
    }
  }

  // ---- random numbers

  private String draws(double seconds) throws IOException, InterruptedException {
    String theirs = python(seconds);
    requireSame("of its own", sums(Generator.seeded(SEED, device)), theirs);
    requireSame("of the device", sums(Generator.global(device).seed(SEED)), theirs);
    return "%s draws of %s, by a generator of its own and by the device's, are PyTorch's to the bit"
        .formatted(2 * SHAPES.size() * DRAWN.size(), device);
  }

  private static void requireSame(String whose, String ours, String theirs) {
    if (!theirs.equals(ours)) {
      throw new Failure(
          "SHA-256 of draws of a generator %s with seed %s, of PyTorch: %s; here: %s"
              .formatted(
                  whose, SEED, theirs.strip().replace('\n', ' '), ours.strip().replace('\n', ' ')));
    }
  }

  /** As tests/python/cuda_draws.py prints them. Closes the generator. */
  private static String sums(Generator generator) {
    StringBuilder sums = new StringBuilder();
    try (generator) {
      for (DType dtype : DRAWN) {
        for (long[] shape : SHAPES) {
          for (int i = 0; i < 2; i++) {
            try (Tensor drawn = generator.randn(dtype, shape)) {
              sums.append(sum(drawn)).append('\n');
            }
          }
        }
      }
    }
    return sums.toString();
  }

  /** What the CPU computes of the device's launch grid, beside what the device draws. */
  private String computedDraws() {
    LaunchGrid grid =
        LaunchGrid.of(device)
            .orElseThrow(() -> new Unchecked("CUDA does not tell the launch grid of " + device));
    Map<DType, Double> largest = new EnumMap<>(DType.class);
    try (Generator own = Generator.seeded(SEED, device);
        Generator computed = Generator.philox(SEED, grid)) {
      for (DType dtype : DRAWN) {
        for (long[] shape : SHAPES) {
          try (Tensor drawn = own.randn(dtype, shape);
              Tensor expected = computed.randn(dtype, shape)) {
            largest.merge(dtype, distance(drawn.toDoubles(), expected.toDoubles()), Math::max);
          }
        }
      }
    }
    double float32 = largest.getOrDefault(DType.FLOAT32, Double.NaN);
    double float64 = largest.getOrDefault(DType.FLOAT64, Double.NaN);
    String words =
        "draws of %s blocks differ by at most %s in float32, %s in float64"
            .formatted(
                grid.blocks(),
                GpuBenchmark.number("%.2g", float32),
                GpuBenchmark.number("%.2g", float64));
    if (!(float32 <= SAME_NUMBER && float64 <= SAME_NUMBER)) {
      throw new Failure(words);
    }
    return words;
  }

  private static double distance(double[] a, double[] b) {
    double far = 0;
    for (int i = 0; i < a.length; i++) {
      double difference = Math.abs(a[i] - b[i]);
      far = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(far, difference);
    }
    return far;
  }

  private static String sum(Tensor drawn) {
    double[] values = drawn.toDoubles();
    int size = drawn.dtype().byteSize();
    ByteBuffer bytes = ByteBuffer.allocate(values.length * size).order(ByteOrder.LITTLE_ENDIAN);
    for (double value : values) {
      if (size == Float.BYTES) {
        bytes.putFloat((float) value);
      } else {
        bytes.putDouble(value);
      }
    }
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes.array()));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** The lines that tests/python/cuda_draws.py prints. */
  private String python(double seconds) throws IOException, InterruptedException {
    String program = System.getenv().getOrDefault("RDM_PYTHON", "python3");
    Path script = Path.of(System.getProperty("rdm.tests", "."), "python", "cuda_draws.py");
    Process process;
    try {
      process =
          new ProcessBuilder(program, script.toString(), device.toString(), Long.toString(SEED))
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
    } catch (IOException e) {
      throw new Unchecked("there is no " + program);
    }
    if (!process.waitFor(Math.max(1, (long) seconds), TimeUnit.SECONDS)) {
      process.destroyForcibly();
      throw new Unchecked(program + " needed too long");
    }
    try (BufferedReader out = process.inputReader()) {
      String lines = String.join("\n", out.readAllLines()) + "\n";
      if (process.exitValue() != 0) {
        throw new Unchecked(program + " has no PyTorch that can use " + device);
      }
      return lines;
    }
  }
}
