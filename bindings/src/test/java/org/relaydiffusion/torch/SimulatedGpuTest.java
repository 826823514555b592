// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.relaydiffusion.torch.testing.SimulatedGpu.DEVICE;
import static org.relaydiffusion.torch.testing.SimulatedGpu.OTHER_DEVICE;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.torch.nn.Linear;
import org.relaydiffusion.torch.nn.Parameter;
import org.relaydiffusion.torch.optim.Adam;
import org.relaydiffusion.torch.optim.AdamOptions;
import org.relaydiffusion.torch.optim.ExponentialMovingAverage;
import org.relaydiffusion.torch.optim.Gradients;
import org.relaydiffusion.torch.testing.HostEvent;
import org.relaydiffusion.torch.testing.HostTraffic;
import org.relaydiffusion.torch.testing.SimulatedGpu;
import org.relaydiffusion.torch.testing.SimulatedGpu.Observed;

/** The simulated devices themselves, and what the binding does on one. */
class SimulatedGpuTest {
  private static Tensor there(double... values) {
    return Torch.tensor(values, values.length).to(DEVICE);
  }

  // ---- where tensors lie

  @Test
  void resultsViewsGradientsAndCopiesLieWhereTheirOperandsDo() {
    try (SimulatedGpu _ = SimulatedGpu.open();
        TensorScope _ = TensorScope.open()) {
      Tensor x = there(1, 2, 3, 4).requiresGrad(true);
      Tensor view = x.reshape(2, 2);
      Tensor y = view.mul(2).add(view).sub(Torch.scalar(1.0));
      Reduction.sum(y, Reduction.KeepDim.NO).backward();
      List<Tensor> all =
          List.of(
              x,
              view,
              y,
              Objects.requireNonNull(x.grad()),
              x.detach(),
              x.to(DType.FLOAT32),
              Shapes.copy(x),
              Torch.zerosLike(x),
              Torch.full(3, DType.FLOAT32, DEVICE, 2),
              Shapes.chunk(x, 2, 0).getLast(),
              Pointwise.addInPlace(x.detach(), Torch.ones(DType.FLOAT64, DEVICE, 1)));
      for (Tensor t : all) {
        assertThat(t.device()).isEqualTo(DEVICE);
        assertThat(t.isDenseOnCpu()).isFalse();
        assertThatThrownBy(t::memory).hasMessageContaining("no row-major CPU memory");
        assertThatThrownBy(t::borrowedMemory).hasMessageContaining("has no CPU memory");
      }
      assertThat(x.to(Device.CPU).device()).isEqualTo(Device.CPU);
      assertThat(x.to(OTHER_DEVICE).device()).isEqualTo(OTHER_DEVICE);
      assertThat(Objects.requireNonNull(x.grad()).toDoubles()).containsOnly(3);
      assertThat(Torch.cudaDeviceCount()).isEqualTo(2);
    }
  }

  @Test
  void aTensorThatIsResizedStaysWhereItIs() {
    Operator resize =
        Operator.of(
            "aten::resize_(Tensor(a!) self, SymInt[] size, *, MemoryFormat? memory_format=None) ->"
                + " Tensor(a!)");
    try (SimulatedGpu _ = SimulatedGpu.open();
        TensorScope _ = TensorScope.open()) {
      Tensor x = there(1, 2);
      assertThat(resize.call().arg(x).arg(5).tensor().describe()).isEqualTo("float64[5]@cuda:0");
    }
  }

  @Test
  void nothingIsLeftOfItAfterwards() {
    try (SimulatedGpu _ = SimulatedGpu.open()) {
      assertThat(DeviceSimulation.current()).isNotNull();
      assertThatThrownBy(SimulatedGpu::open).isInstanceOf(IllegalStateException.class);
    }
    assertThat(DeviceSimulation.current()).isNull();
  }

  // ---- operands on different devices

  static Stream<Arguments> mixtures() {
    return Stream.of(
        mixture("add", () -> there(1, 2).add(Torch.ones(DType.FLOAT64, 2))),
        mixture("mul", () -> Torch.ones(DType.FLOAT64, 2).mul(there(1, 2))),
        mixture("sub", () -> there(1, 2).sub(Torch.ones(DType.FLOAT64, 1))),
        mixture("in place", () -> Pointwise.mulInPlace(Torch.ones(DType.FLOAT64), there(1))),
        mixture("cat", () -> Shapes.cat(List.of(there(1), Torch.ones(DType.FLOAT64, 1)), 0)),
        mixture("clamp", () -> Pointwise.clamp(there(1), null, Torch.scalar(1.0))),
        mixture("gather", () -> Shapes.indexSelect(there(1, 2), 0, Torch.tensor(new long[] {1}))),
        mixture("two devices", () -> there(1).add(Torch.ones(DType.FLOAT64, OTHER_DEVICE, 1))));
  }

  private static Arguments mixture(String name, Supplier<Tensor> call) {
    return Arguments.of(name, call);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("mixtures")
  void operandsOnDifferentDevicesAreRefused(String name, Supplier<Tensor> call) {
    try (SimulatedGpu gpu = SimulatedGpu.open();
        TensorScope _ = TensorScope.open()) {
      assertThatThrownBy(call::get)
          .as(name)
          .isInstanceOf(TorchException.class)
          .hasMessageContaining("Expected all tensors to be on the same device")
          .hasMessageContaining("@cuda:");
      assertThat(gpu.takeRefusals()).hasSize(1);
    }
  }

  @Test
  @SuppressWarnings("try") // Closed by hand, which is the point.
  void aRefusalThatWasCaughtIsReportedAtTheEnd() {
    try (TensorScope _ = TensorScope.open()) {
      SimulatedGpu gpu = SimulatedGpu.open();
      assertThatThrownBy(() -> there(1).mul(Torch.ones(DType.FLOAT64, 1)))
          .isInstanceOf(TorchException.class);
      assertThatThrownBy(gpu::close)
          .isInstanceOf(AssertionError.class)
          .hasMessageContaining("aten::mul")
          .hasMessageContaining("cuda:0 and cpu");
    }
  }

  @Test
  void numbersOfTheCpuMayStandBesideADevice() {
    try (SimulatedGpu gpu = SimulatedGpu.open();
        TensorScope _ = TensorScope.open()) {
      Tensor x = there(1, 2);
      HostTraffic none =
          gpu.during(() -> {
            Tensor y = x.add(1).mul(2).div(Torch.scalar(4.0)).sub(Torch.scalar(1.0)).pow(1.5);
            Tensor mask = y.gt(Torch.scalar(0.5));
            Tensor z = Shapes.maskedFill(Pointwise.clamp(y, -1, 1), mask, 7);
            Pointwise.addInPlace(z, Torch.full(1, DType.FLOAT64, DEVICE, 2));
            Tensor integers = Torch.full(3, DType.INT64, DEVICE, 2);
            Tensor _ = integers.add(integers);
          });
      assertThat(none.events()).as("%s", none).isEmpty();
    }
  }

  // ---- what is counted

  static Stream<Arguments> events() {
    return Stream.of(
        Arguments.of(HostEvent.Kind.UPLOAD, work(x -> Torch.ones(DType.FLOAT32, 2).to(DEVICE))),
        Arguments.of(HostEvent.Kind.UPLOAD, work(x -> x.copyFrom(Torch.ones(DType.FLOAT32, 2)))),
        Arguments.of(
            HostEvent.Kind.UPLOAD, work(x -> x.index(Index.of(Torch.tensor(new long[] {1}))))),
        Arguments.of(
            HostEvent.Kind.UPLOAD,
            work(x -> Pointwise.where(x.gt(x), Torch.full(1, DType.FLOAT64), x))),
        Arguments.of(
            HostEvent.Kind.UPLOAD, work(x -> Shapes.toAsync(Torch.ones(DType.FLOAT32, 2), DEVICE))),
        Arguments.of(
            HostEvent.Kind.UPLOAD_BEGUN,
            work(x -> Shapes.toAsync(Torch.emptyPinned(DType.FLOAT32, 2), DEVICE))),
        Arguments.of(HostEvent.Kind.READ_BACK, work(x -> x.to(Device.CPU))),
        Arguments.of(HostEvent.Kind.READ_BACK, work(Tensor::toFloats)),
        Arguments.of(HostEvent.Kind.READ_BACK, work(x -> Shapes.narrow(x, 0, 0, 1).item())),
        Arguments.of(HostEvent.Kind.BETWEEN_DEVICES, work(x -> x.to(OTHER_DEVICE))),
        Arguments.of(HostEvent.Kind.WAIT, work(Shapes::nonzero)),
        Arguments.of(HostEvent.Kind.WAIT, work(x -> x.index(Index.of(x.gt(x))))),
        Arguments.of(HostEvent.Kind.WAIT, work(x -> Shapes.maskedSelect(x, x.gt(x)))));
  }

  private static Consumer<Tensor> work(Function<Tensor, ?> f) {
    return x -> {
      Object _ = f.apply(x);
    };
  }

  @ParameterizedTest
  @MethodSource("events")
  void copiesAndWaitsAreCounted(HostEvent.Kind kind, Consumer<Tensor> work) {
    try (SimulatedGpu gpu = SimulatedGpu.open();
        TensorScope _ = TensorScope.open()) {
      Tensor x = there(1, 2);
      HostTraffic traffic = gpu.during(() -> work.accept(x));
      assertThat(traffic.events()).extracting(HostEvent::kind).containsExactly(kind);
    }
  }

  // ---- what is recorded

  @Test
  void theNumbersThatTheHostGivesAreRecorded() {
    try (SimulatedGpu gpu = SimulatedGpu.open();
        TensorScope _ = TensorScope.open()) {
      Tensor x = there(1, 2);
      assertThat(gpu.calls(() -> x.mul(0.25)))
          .containsExactly("aten::mul.Tensor(self=float64[2]@cuda:0, other=float64 0.25)");
      assertThat(gpu.calls(() -> Torch.full(0.5, DType.FLOAT32, DEVICE, 3)))
          .isNotEqualTo(gpu.calls(() -> Torch.full(0.75, DType.FLOAT32, DEVICE, 3)));
      assertThat(gpu.calls(() -> Torch.ones(DType.FLOAT32, 3).mul(2))).isEmpty();
    }
  }

  // ---- the binding's own training

  /** The whole of a step: forward, backward, unscaling, clean-up, Adam and the average. */
  private static double[] trained(Device device) {
    try (TensorScope _ = TensorScope.open();
        Generator random = Generator.seeded(1);
        Linear linear = Linear.of(3, 2);
        Linear average = Linear.of(3, 2)) {
      linear.initialize(random);
      average.initialize(random);
      linear.to(device);
      average.to(device);
      linear.requiresGrad(true);
      List<Parameter> parameters = linear.parameters();
      Tensor x = random.randn(DType.FLOAT32, 4, 3).to(device);
      Tensor target = Torch.full(0.5, DType.FLOAT32, device, 4, 2);
      try (Adam adam = Adam.reference(parameters, AdamOptions.DEFAULT)) {
        for (int i = 0; i < 3; i++) {
          Losses.mse(linear.forward(x), target).backward();
          Gradients.replaceNonFinite(parameters);
          adam.step(0.1);
          adam.clearGradients();
          ExponentialMovingAverage.update(average.parameters(), parameters, i == 0 ? 0 : 0.9);
        }
      }
      return Stream.of(linear, average)
          .flatMap(module -> module.parameters().stream())
          .flatMapToDouble(p -> Arrays.stream(p.value().toDoubles()))
          .toArray();
    }
  }

  @Test
  void trainingOnADeviceGivesTheCpusBitsAndNeverWaits() {
    double[] expected = trained(Device.CPU);
    try (SimulatedGpu gpu = SimulatedGpu.open()) {
      Observed<double[]> found = gpu.observe(() -> trained(DEVICE));
      assertThat(found.value()).containsExactly(expected);
      // Both modules and x go there, and the values come back.
      assertThat(found.traffic().uploads()).as("%s", found.traffic()).isEqualTo(5);
      assertThat(found.traffic().readBacks()).as("%s", found.traffic()).isEqualTo(4);
    }
  }
}
