// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.NetworkRecord;
import org.relaydiffusion.diffusion.ComputeType;
import org.relaydiffusion.diffusion.Noise;
import org.relaydiffusion.diffusion.RelayPipeline;
import org.relaydiffusion.diffusion.Sample;
import org.relaydiffusion.diffusion.SampleRequest;
import org.relaydiffusion.diffusion.Samples;
import org.relaydiffusion.diffusion.sampler.StackedGenerators;
import org.relaydiffusion.model.CudaGraphs;
import org.relaydiffusion.model.LoadOptions;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.ModuleSummary;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.nativeconfig.Doctor;
import org.relaydiffusion.torch.CudaGraph;
import org.relaydiffusion.torch.CudaMemory;
import org.relaydiffusion.torch.CudaStream;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;
import org.relaydiffusion.torch.Functional;
import org.relaydiffusion.torch.Generator;
import org.relaydiffusion.torch.GradMode;
import org.relaydiffusion.torch.Index;
import org.relaydiffusion.torch.LaunchGrid;
import org.relaydiffusion.torch.Losses;
import org.relaydiffusion.torch.MemoryFormat;
import org.relaydiffusion.torch.Pointwise;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.TorchException;
import org.relaydiffusion.torch.nn.Linear;
import org.relaydiffusion.torch.optim.Optimizer;
import org.relaydiffusion.torch.optim.Sgd;
import org.relaydiffusion.torch.optim.SgdOptions;

/**
 * The same networks and samplers on an NVIDIA GPU, on the networks of samplers/relay_cond_cfg.
 * Skipped, with doctor's reason, where no such device can be used.
 */
@Tag("gpu")
class GpuTest {
  private static final Device GPU = Device.cuda(0);
  private static final Path FIXTURE =
      Path.of(System.getProperty("rdm.fixtures", "fixtures"), "samplers", "relay_cond_cfg");

  private static void assumeGpu() {
    Optional<String> reason = Doctor.examine().cuda().whyUnusable();
    assumeTrue(reason.isEmpty(), () -> "CUDA cannot be used: " + reason.orElse(""));
  }

  private static Preconditioner load(Checkpoint checkpoint, LoadOptions options) {
    NetworkRecord network = checkpoint.network();
    return Preconditioner.load(
        ModelConfig.of(network.className(), network.initKwargs()), network.state(), options);
  }

  /** The images that a network makes of fixed noise at three levels, brought to the CPU. */
  private static double[] denoised(String file, LoadOptions options) {
    try (Checkpoint checkpoint = Checkpoint.open(FIXTURE.resolve(file));
        Preconditioner network = load(checkpoint, options);
        GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        StackedGenerators noise = StackedGenerators.of(options.device(), 1, 2, 3)) {
      int side = network.resolution();
      Tensor x = noise.randn(DType.FLOAT64, network.channels(), side, side);
      Tensor sigma = Torch.tensor(new double[] {0.05, 1, 20}, 3);
      float[] rows = new float[3 * network.labelDim()];
      for (int i = 0; i < 3 && network.labelDim() > 0; i++) {
        rows[i * network.labelDim() + i % network.labelDim()] = 1;
      }
      Tensor labels = network.labelDim() == 0 ? null : Torch.tensor(rows, 3, network.labelDim());
      // Noise levels and labels come from the CPU: the network brings them to its device.
      Tensor out = network.denoise(x, sigma, labels);
      assertThat(out.device()).isEqualTo(options.device());
      return out.toDoubles();
    }
  }

  private static List<DType> autoTypes(Path checkpoint) {
    try (RelayPipeline pipeline =
        RelayPipeline.builder()
            .stage(checkpoint)
            .device(GPU)
            .numerics(Numerics.EXACT)
            .dtype(ComputeType.AUTO)
            .load()) {
      return pipeline.dtypes();
    }
  }

  /** An image of 64 px is the same on every GPU; its sine and logarithm are less exact. */
  @Test
  void generatorsOfTheDeviceDrawWhatIsComputedOnTheCpu() {
    assumeGpu();
    for (long seed : new long[] {0, 42, 0xffff_ffffL}) {
      try (Generator own = Generator.seeded(seed, GPU);
          Generator computed = Generator.philox(seed, LaunchGrid.A100);
          TensorScope _ = TensorScope.open()) {
        for (DType dtype : List.of(DType.FLOAT32, DType.FLOAT64, DType.FLOAT32)) {
          Tensor drawn = own.randn(dtype, 3, 64, 64);
          assertThat(drawn.device()).isEqualTo(GPU);
          double[] expected = computed.randn(dtype, 3, 64, 64).toDoubles();
          double[] actual = drawn.to(Device.CPU).toDoubles();
          for (int i = 0; i < expected.length; i++) {
            // Near u = 1 the logarithm magnifies a rounding of u.
            double tolerance =
                dtype == DType.FLOAT64 ? 1e-13 : Math.abs(expected[i]) > 0.15 ? 2e-6 : 3e-4;
            assertThat(actual[i]).as("element %s", i).isCloseTo(expected[i], within(tolerance));
          }
          assertThat(own.state()).isEqualTo(computed.state());
        }
        assertThat(own.randint(10, 1000).to(Device.CPU).toLongs())
            .isEqualTo(computed.randint(10, 1000).toLongs());
      }
    }
  }

  @Test
  void noiseOfTheCpuIsTheSameOnTheDevice() {
    assumeGpu();
    long[] seeds = {1, 2, 3};
    for (Noise noise : List.of(Noise.CPU, Noise.parse("cuda:v100"))) {
      try (StackedGenerators there = StackedGenerators.of(noise, GPU, seeds);
          StackedGenerators here = StackedGenerators.of(noise, Device.CPU, seeds);
          TensorScope _ = TensorScope.open()) {
        for (long side : new long[] {16, 16, 16, 64, 64, 64, 64}) {
          Tensor drawn = there.randn(DType.FLOAT64, 3, side, side);
          assertThat(drawn.device()).isEqualTo(GPU);
          assertThat(drawn.to(Device.CPU).toDoubles())
              .isEqualTo(here.randn(DType.FLOAT64, 3, side, side).toDoubles());
        }
      }
    }
  }

  @Test
  void autoIsTheTypeThatTheCheckpointAsksFor() {
    assumeGpu();
    Path half =
        FIXTURE.resolve("../../checkpoints/torch2_14_state_cond_fp16/training-state-000123.pt");

    assertThat(autoTypes(half.normalize())).containsExactly(DType.FLOAT16);
    assertThat(autoTypes(FIXTURE.resolve("first.pkl"))).containsExactly(DType.FLOAT32);
  }

  private static double largest(double[] values) {
    return Arrays.stream(values).map(Math::abs).max().orElse(0);
  }

  private static double[] cpu(String file) {
    return denoised(file, LoadOptions.EXACT);
  }

  @ParameterizedTest
  @ValueSource(strings = {"first.pkl", "second.pt"})
  void exactNetworksAgreeWithTheCpu(String file) {
    assumeGpu();
    double[] expected = cpu(file);
    double[] found = denoised(file, new LoadOptions(Numerics.EXACT, DType.FLOAT32, GPU));
    // float32 sums in another order; TensorFloat-32, which is off, would miss this by far.
    assertThat(found).containsExactly(expected, within(1e-4 * largest(expected)));
  }

  /** Of one network, with and without graphs, at changing noise levels and labels. */
  @ParameterizedTest
  @ValueSource(strings = {"first.pkl", "second.pt"})
  void replayedPassesHaveTheBitsOfPlainOnes(String file) {
    assumeGpu();
    LoadOptions plain = new LoadOptions(Numerics.FAST, DType.BFLOAT16, GPU, CudaGraphs.OFF);
    LoadOptions graphs = new LoadOptions(Numerics.FAST, DType.BFLOAT16, GPU, CudaGraphs.ON);
    assertThat(series(file, graphs)).isEqualTo(series(file, plain));
  }

  private static List<Double> series(String file, LoadOptions options) {
    List<Double> all = new ArrayList<>();
    try (Checkpoint checkpoint = Checkpoint.open(FIXTURE.resolve(file));
        Preconditioner network = load(checkpoint, options);
        GradMode _ = GradMode.noGrad();
        TensorScope _ = TensorScope.open();
        StackedGenerators noise = StackedGenerators.of(GPU, 1, 2, 3)) {
      int side = network.resolution();
      for (int i = 0; i < 4; i++) {
        Tensor x = noise.randn(DType.FLOAT64, network.channels(), side, side);
        Tensor sigma = Torch.full(0.1 + 3 * i, DType.FLOAT64, GPU);
        Tensor labels = null;
        if (network.labelDim() > 0) {
          Tensor classes = Torch.tensor(new long[] {0, i % 2, 1}, 3);
          labels = Functional.oneHot(classes, network.labelDim()).to(DType.FLOAT32).to(GPU);
        }
        for (double value : network.denoise(x, sigma, labels).toDoubles()) {
          all.add(value);
        }
      }
    }
    return all;
  }

  @Test
  void aCaptureThatReadsAnElementIsRefusedAndTheNextOneWorks() {
    assumeGpu();
    try (TensorScope _ = TensorScope.open();
        GradMode _ = GradMode.noGrad()) {
      Tensor x = Torch.full(3, DType.FLOAT32, GPU, 4);
      CudaStream stream = CudaStream.fromPool(GPU);
      assertThatThrownBy(() ->
              CudaGraph.capture(
                  stream, null, () -> x.mul(Torch.full(x.sum().item(), DType.FLOAT32, GPU))))
          .isInstanceOf(TorchException.class);

      Tensor[] y = new Tensor[1];
      try (CudaGraph graph =
          CudaGraph.capture(
              stream, null, () -> y[0] = x.mul(Torch.full(2, DType.FLOAT32, GPU)).release())) {
        graph.replay();
        assertThat(y[0].toDoubles()).containsOnly(6);
        x.copyFrom(Torch.full(5, DType.FLOAT32, GPU, 4));
        graph.replay();
        assertThat(y[0].toDoubles()).containsOnly(10);
        y[0].close();
      }
    }
  }

  /** LibTorch would throw through Java in each of these cases. */
  @Test
  void aCaptureRefusesWhatWouldEndTheProcess() {
    assumeGpu();
    CudaStream stream = CudaStream.fromPool(GPU);
    CudaGraph closed = CudaGraph.capture(stream, null, () -> {});
    closed.close();
    assertThatThrownBy(() -> CudaGraph.capture(stream, closed, () -> {}))
        .hasMessage("the graph whose memory is to be shared is closed");
    assertThatThrownBy(() -> CudaGraph.capture(stream, null, GpuTest::leaveAStream))
        .hasMessageMatching("the work left stream 0x[0-9a-f]+ of cuda:0 current");
    assertThatThrownBy(() -> CudaGraph.capture(stream, null, () -> Generator.seeded(1, GPU)))
        .hasMessage("making a generator of cuda:0 is not possible while a CUDA graph is captured");
    assertThatThrownBy(() ->
            CudaGraph.capture(
                stream, null, () -> CudaGraph.capture(stream, null, () -> {}).close()))
        .hasMessage("capturing another graph is not possible while a CUDA graph is captured");
    assertThat(CudaGraph.isAvailable(GPU)).isTrue();
    CudaGraph.capture(stream, null, () -> {}).close();
  }

  private static void leaveAStream() {
    CudaStream.Use _ = CudaStream.fromPool(GPU).use();
  }

  @ParameterizedTest
  @ValueSource(strings = {"first.pkl", "second.pt"})
  void halfPrecisionRunsAndStaysClose(String file) {
    assumeGpu();
    double[] expected = cpu(file);
    for (DType dtype : List.of(DType.FLOAT16, DType.BFLOAT16)) {
      for (Numerics numerics : Numerics.values()) {
        double[] found = denoised(file, new LoadOptions(numerics, dtype, GPU));
        // bfloat16 keeps 8 bits of a number; errors of many layers add up.
        assertThat(found)
            .as("%s %s", dtype, numerics)
            .containsExactly(expected, within(0.1 * largest(expected)));
      }
    }
  }

  @Test
  void samplingGivesTheCpusPictures() {
    assumeGpu();
    List<Sample> expected = sampled(Device.CPU);
    List<Sample> found = sampled(GPU);
    assertThat(found).hasSameSizeAs(expected);
    int values = 0;
    int far = 0;
    for (int i = 0; i < found.size(); i++) {
      byte[] a = expected.get(i).pixels().data();
      byte[] b = found.get(i).pixels().data();
      assertThat(found.get(i).seed()).isEqualTo(expected.get(i).seed());
      assertThat(b).hasSameSizeAs(a);
      for (int k = 0; k < a.length; k++) {
        values++;
        far += Math.abs((a[k] & 0xff) - (b[k] & 0xff)) > 2 ? 1 : 0;
      }
    }
    // The noise is the same; only sums are in another order. As of fast numerics: 2 levels on 99 %.
    assertThat(far).isLessThanOrEqualTo(values / 100);
  }

  private static List<Sample> sampled(Device device) {
    List<Sample> samples = new ArrayList<>();
    try (RelayPipeline pipeline =
            RelayPipeline.builder()
                .stage(FIXTURE.resolve("first.pkl"))
                .stage(FIXTURE.resolve("second.pt"))
                .numerics(Numerics.EXACT)
                .device(device)
                .load();
        Samples made = pipeline.sample(SampleRequest.builder().seeds(0, 7).batch(2).build())) {
      made.forEach(samples::add);
    }
    return samples;
  }

  @Test
  void tensorsMoveThereAndBackWhateverTheirStrides() {
    assumeGpu();
    try (TensorScope _ = TensorScope.open()) {
      Tensor x = Torch.arange(24, DType.FLOAT32).reshape(1, 2, 3, 4);
      List<Tensor> layouts =
          List.of(
              x,
              Shapes.contiguous(x, MemoryFormat.CHANNELS_LAST),
              Shapes.expand(Shapes.narrow(x, 0, 0, 1), 5, 2, 3, 4),
              Shapes.slice(x, 3, 0, 4, 2));
      for (Tensor t : layouts) {
        Tensor there = t.to(GPU);
        assertThat(there.device()).isEqualTo(GPU);
        assertThat(there.toFloats()).containsExactly(t.toFloats());
      }
      assertThatThrownBy(() -> x.to(GPU).memory()).hasMessageContaining("no row-major CPU memory");
    }
  }

  @Test
  void numbersMixWithTensorsOnTheGpu() {
    assumeGpu();
    try (TensorScope _ = TensorScope.open()) {
      Tensor x = Torch.full(3, DType.FLOAT32, GPU, 2, 2);
      assertThat(x.add(1).mul(2).div(4).toFloats()).containsOnly(2);
      assertThat(Pointwise.addInPlace(x, Torch.full(1, DType.FLOAT32, GPU, 2)).toFloats())
          .containsOnly(4);
      assertThat(Pointwise.addcmul(x, x, x).toFloats()).containsOnly(20);
      assertThat(Torch.zerosLike(x).device()).isEqualTo(GPU);
      assertThat(Functional.softmax(x, 1).toFloats()).containsOnly(0.5f);
    }
  }

  @Test
  void tensorsPrintAndModulesTrainOnTheGpu() {
    assumeGpu();
    try (TensorScope _ = TensorScope.open();
        Generator random = Generator.seeded(1);
        Linear linear = Linear.of(3, 2)) {
      assertThat(Torch.zeros(DType.INT64, GPU, 2000))
          .hasToString("tensor([0, 0, 0,  ..., 0, 0, 0], device='" + GPU + "')");
      linear.initialize(random);
      linear.to(GPU);
      linear.requiresGrad(true);
      try (Optimizer sgd = new Sgd(linear.parameters(), SgdOptions.DEFAULT.withMomentum(0.9))) {
        Tensor x = Torch.ones(DType.FLOAT32, GPU, 4, 3);
        Tensor target = Torch.zeros(DType.FLOAT32, GPU, 4, 2);
        Tensor before = Losses.mse(linear.forward(x), target);
        before.backward();
        sgd.step(0.1);
        assertThat(Losses.mse(linear.forward(x), target).item()).isLessThan(before.item());
      }
      Tensor y = Torch.linspace(-2, 2, 5, DType.FLOAT32).to(GPU);
      assertThat(Pointwise.clamp(y, -1, 1).toFloats()).containsExactly(-1, -1, 0, 1, 1);
      assertThat(y.pow(1.5).device()).isEqualTo(GPU);
      assertThat(y.index(Index.of(y.gt(Torch.scalar(0.5)))).toFloats()).containsExactly(1, 2);
    }
  }

  /** What {@code rdm train} reports of each tick. */
  @Test
  void thePeakOfTheMemoryIsToldOnce() {
    assumeGpu();
    long bytes = 64L << 20;
    try (TensorScope _ = TensorScope.open()) {
      assertThat(Torch.full(0, DType.FLOAT32, GPU, bytes / Float.BYTES).numel()).isPositive();
    }

    CudaMemory.Peak peak = CudaMemory.takePeak(GPU).orElseThrow();

    assertThat(peak.allocated()).isGreaterThanOrEqualTo(bytes);
    assertThat(peak.reserved()).isGreaterThanOrEqualTo(peak.allocated());
    CudaMemory.Peak later = CudaMemory.takePeak(GPU).orElseThrow();
    assertThat(later.allocated()).isLessThan(bytes);
    // The allocator keeps what was freed.
    assertThat(later.reserved()).isGreaterThanOrEqualTo(bytes);
  }

  @Test
  void anAllocationThatFailsTellsWhatTheDeviceHas() {
    assumeGpu();
    CudaMemory.Available available = CudaMemory.available(GPU).orElseThrow();
    assertThat(available.free()).isBetween(1L, available.total());
    assertThatThrownBy(() -> Torch.empty(DType.FLOAT32, GPU, available.total()))
        .isInstanceOf(TorchException.class)
        .hasMessageContaining("out of memory")
        .hasMessageMatching(".*[0-9] GiB.* free.*");
  }

  @Test
  void aNetworkOnTheGpuSummarisesItself() {
    assumeGpu();
    try (Checkpoint checkpoint = Checkpoint.open(FIXTURE.resolve("first.pkl"));
        Preconditioner network =
            load(checkpoint, new LoadOptions(Numerics.FAST, DType.FLOAT32, GPU))) {
      assertThat(ModuleSummary.of(network, 2).rows()).isNotEmpty();
    }
  }

  /** The one test of these that runs everywhere: the refusal where there is no such device. */
  @Test
  void aDeviceThatIsNotThereIsRefusedInOneLine() {
    Device missing = Device.cuda(99);
    assertThatThrownBy(() ->
            RelayPipeline.builder().stage(FIXTURE.resolve("first.pkl")).device(missing).load())
        .isInstanceOf(OptionException.class)
        .hasMessageStartingWith("device cuda:99 cannot be used: ")
        .message()
        .doesNotContain("\n");
  }
}
