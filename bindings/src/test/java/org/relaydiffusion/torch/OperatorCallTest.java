// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.offset;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.relaydiffusion.torch.cpp.BoxedCall;
import org.relaydiffusion.torch.cpp.RegisteredSchemas;
import org.relaydiffusion.torch.ffi.TensorAbi;

/** Calls of operators by their schema: kinds, defaults, results, and what is refused before. */
class OperatorCallTest {
  private static final Operator MUL =
      Operator.of("aten::mul.Tensor(Tensor self, Tensor other) -> Tensor");
  private static final Operator CONV2D =
      Operator.of(
          "aten::conv2d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=1, "
              + "SymInt[2] padding=0, SymInt[2] dilation=1, SymInt groups=1) -> Tensor");

  /** Bytes of complex32, complex64, complex128, uint16, uint32 and uint64, by LibTorch's number. */
  private static final Map<Integer, Integer> OTHER_SIZES =
      Map.of(8, 4, 9, 8, 10, 16, 27, 2, 28, 4, 29, 8);

  private TensorScope scope;

  @BeforeEach
  void open() {
    scope = TensorScope.open();
  }

  @AfterEach
  void close() {
    scope.close();
  }

  @Test
  void whatIsLeftOutTakesItsDefault() {
    Tensor x = Torch.ones(DType.FLOAT32, 1, 1, 4, 4);
    Tensor w = Torch.ones(DType.FLOAT32, 1, 1, 2, 2);
    assertThat(CONV2D.apply(x, w).shape()).containsExactly(1, 1, 3, 3);
    assertThat(CONV2D.call().arg(x).arg(w).at("stride").arg(2).tensor().shape())
        .containsExactly(1, 1, 2, 2);
    assertThat(
            CONV2D.call().arg(x).arg(w).none().arg(2, 1).at("padding").arg(1, 0).tensor().shape())
        .containsExactly(1, 1, 3, 3);
  }

  @Test
  void kindsAreCheckedBeforeTheCallAndTheParameterIsNamed() {
    Tensor x = Torch.ones(DType.FLOAT32, 2);
    assertThatThrownBy(() -> MUL.call().arg(x).arg((Tensor) null))
        .isInstanceOf(TorchException.class)
        .hasMessage("aten::mul.Tensor: other is null, but a Tensor is expected");
    assertThatThrownBy(() -> MUL.call().arg(x).arg(2))
        .hasMessage("aten::mul.Tensor: other is a Tensor, not 2");
    assertThatThrownBy(() -> MUL.call().arg(x).tensor())
        .hasMessage("aten::mul.Tensor: other is missing");
    assertThatThrownBy(() -> MUL.call().arg(x).arg(x).arg(x))
        .hasMessage("aten::mul.Tensor takes 2 arguments, and a tensor comes after them");
    assertThatThrownBy(() -> CONV2D.call().arg(x).arg(x).arg(x).arg(1.5))
        .hasMessage("aten::conv2d: stride is a SymInt[2], not 1.5");
    assertThatThrownBy(() -> CONV2D.call().arg(x).arg(x).at("stride").arg(true))
        .hasMessage("aten::conv2d: stride is a SymInt[2], not true");
    assertThatThrownBy(() -> CONV2D.call().at("strides"))
        .hasMessage("aten::conv2d has no parameter strides");
    assertThatThrownBy(() -> MUL.call().arg(x).arg(x).run())
        .hasMessage("aten::mul.Tensor returns [Tensor], not nothing");
    OperatorCall call = MUL.call().arg(x).arg(x);
    assertThat(call.tensor().toDoubles()).containsExactly(1, 1);
    assertThatThrownBy(call::tensor)
        .hasMessage("this call of aten::mul.Tensor has been made already");
    Tensor closed = Torch.ones(DType.FLOAT32, 2);
    closed.close();
    assertThatThrownBy(() -> MUL.apply(x, closed))
        .hasMessage("aten::mul.Tensor: other cannot be used: this tensor is closed");
  }

  @Test
  void aSchemaThatIsNotLibTorchsIsRefusedAtTheFirstCall() {
    Tensor x = Torch.ones(DType.FLOAT32, 2);
    assertThatThrownBy(() ->
            Operator.of("aten::mul.Tensor(Tensor self, int other) -> Tensor")
                .call()
                .arg(x)
                .arg(1)
                .tensor())
        .isInstanceOf(TorchException.class)
        .hasMessage(
            "the schema of aten::mul.Tensor is not LibTorch's: it takes Tensor other, not int"
                + " other");
    assertThatThrownBy(() -> Operator.of("aten::relu_(Tensor self) -> Tensor").apply(x))
        .hasMessage(
            "the schema of aten::relu_ is not LibTorch's: it takes Tensor self (written), not Tensor"
                + " self; it returns [Tensor (written)], not [Tensor]");
    assertThatThrownBy(() -> Operator.of("aten::erf(Tensor self, Tensor b) -> Tensor").apply(x, x))
        .hasMessageContaining("it has no parameter b");
    assertThatThrownBy(() -> Operator.of("aten::mul.Tensor(Tensor self) -> Tensor").apply(x))
        .hasMessageContaining("it has another parameter, Tensor other");
    assertThatThrownBy(
            () -> Operator.of("aten::erf(Tensor self) -> (Tensor, Tensor)").call().arg(x).tensors())
        .hasMessageContaining("it returns [Tensor], not [Tensor, Tensor]");
    assertThatThrownBy(() -> Operator.of("aten::no_such(Tensor self) -> Tensor").apply(x))
        .hasMessage("this LibTorch has no operator aten::no_such");
    assertThatThrownBy(() -> Operator.named("aten::no_such.Thing"))
        .hasMessage("this LibTorch has no operator aten::no_such.Thing");
  }

  @Test
  void aResultIsTheArgumentThatLibTorchSays() {
    assertThatThrownBy(() ->
            SchemaComparison.added(
                OperatorSchema.parse("x::f(Tensor(a!) a, Tensor(b!) b) -> Tensor(a!)"),
                OperatorSchema.parse("x::f(Tensor(b!) a, Tensor(a!) b) -> Tensor(a!)")))
        .hasMessage("the schema of x::f is not LibTorch's: its result 0 is b, not a");
  }

  @Test
  void defaultsThatAreLeftOutAreTheOnesWritten() {
    // A caller may leave parameters with defaults out of the text, as a newer LibTorch adds some.
    Tensor x = Torch.tensor(new double[] {1, 2, 3}, 3);
    Operator cumulative = Operator.of("aten::cumsum(Tensor self, int dim) -> Tensor");
    assertThat(cumulative.call().arg(x).arg(0).tensor().toDoubles()).containsExactly(1, 3, 6);
  }

  @Test
  void anOperatorThatWritesReturnsItsArgument() {
    Tensor x = Torch.tensor(new double[] {-1, 2}, 2);
    Operator relu = Operator.named("aten::relu_");
    assertThat(relu.apply(x)).isSameAs(x);
    assertThat(x.toDoubles()).containsExactly(0, 2);
    Operator into = Operator.named("aten::exp.out");
    assertThat(into.call().arg(Torch.scalar(0.0)).arg(x).tensor()).isSameAs(x);
    Operator foreach = Operator.named("aten::_foreach_neg_");
    foreach.call().arg(List.of(x)).run();
  }

  @Test
  void allKindsOfArgumentsAndResultsAreCarried() {
    Tensor x = Torch.tensor(new double[] {3, 1, 2, 0}, 2, 2);
    // Several results, an optional list, a string, an element type, optional tensors in a list.
    List<Tensor> sorted = Operator.named("aten::sort").call().arg(x).arg(1).arg(true).tensors();
    assertThat(sorted.get(0).toDoubles()).containsExactly(3, 1, 2, 0);
    assertThat(sorted.get(1).toLongs()).containsExactly(0, 1, 0, 1);
    Tensor index = Torch.tensor(new long[] {1, 0}, 2);
    Operator at = Operator.named("aten::index.Tensor");
    List<Tensor> second = Arrays.asList(null, index);
    assertThat(at.call().arg(x).arg(second).tensor().toDoubles()).containsExactly(1, 3, 0, 2);
    assertThat(
            Operator.named("aten::std.correction")
                .call()
                .arg(x)
                .arg(0)
                .none()
                .arg(true)
                .tensor()
                .shape())
        .containsExactly(1, 2);
    assertThat(Operator.named("aten::gelu").call().arg(x).arg("tanh").tensor().toDoubles())
        .containsExactly(Operator.named("aten::gelu").apply(x).toDoubles(), offset(1e-2));
    Operator empty = Operator.named("aten::empty.memory_format");
    Tensor made =
        empty
            .call()
            .arg(1, 2, 3, 4)
            .at("dtype")
            .arg(DType.INT16)
            .at("device")
            .arg(Device.CPU)
            .at("memory_format")
            .arg(MemoryFormat.CHANNELS_LAST)
            .tensor();
    assertThat(made.dtype()).isEqualTo(DType.INT16);
    assertThat(made.strides()).containsExactly(24, 1, 8, 2);
    assertThat(Operator.named("aten::equal").call().arg(x).arg(x).bool()).isTrue();
    assertThat(Operator.named("aten::sym_size.int").call().arg(x).arg(0).integer()).isEqualTo(2);
    assertThat(Operator.named("aten::q_scale").schema().results().getFirst().type().kind())
        .isEqualTo(SchemaType.Kind.FLOAT);
    Operator backward = Operator.named("aten::native_layer_norm_backward");
    assertThat(
            backward
                .call()
                .arg(x)
                .arg(x)
                .arg(2)
                .arg(Torch.zeros(DType.FLOAT64, 2, 1))
                .arg(Torch.ones(DType.FLOAT64, 2, 1))
                .none()
                .none()
                .arg(new boolean[] {true, false, false})
                .values())
        .satisfies(results -> {
          assertThat(results.get(0)).isInstanceOf(Tensor.class);
          assertThat(results.get(1)).isNull();
          assertThat(results.get(2)).isNull();
        });
  }

  /**
   * An operator with tensors and defaults that returns one new tensor, and is for anyone to use.
   */
  private static boolean isPlain(String text) {
    if (!text.startsWith("aten::")
        || text.startsWith("aten::_")
        || !(text.endsWith("-> Tensor") || text.endsWith("-> Tensor(a)"))
        || text.matches(
            ".*(!|\\.\\.\\.|sparse|nested|quant|fbgemm|mkldnn|cudnn|miopen|cuda|pin_mem|backward|_cell|rnn|lstm|gru|norm).*")) {
      return false;
    }
    OperatorSchema schema = OperatorSchema.parse(text);
    return OurOperators.names().stream().noneMatch(schema.qualifiedName()::equals)
        && schema.parameters().stream().allMatch(p -> p.type().isCallable())
        && schema.parameters().stream().anyMatch(OperatorSchema.Parameter::isRequired)
        && schema.parameters().stream()
            .filter(OperatorSchema.Parameter::isRequired)
            .allMatch(p -> p.type().isOne(SchemaType.Kind.TENSOR));
  }

  /** Compares complex numbers, too, for which there is no {@link DType}. */
  private static boolean sameBits(Tensor ours, Tensor theirs) {
    return Arrays.equals(ours.shape(), theirs.shape()) && Arrays.equals(bytes(ours), bytes(theirs));
  }

  private static byte[] bytes(Tensor t) {
    Tensor dense = t.contiguous();
    long handle = dense.furtherHandle();
    try {
      int code = TensorAbi.dtype(handle);
      long size = DType.ofCode(code).map(DType::byteSize).orElseGet(() -> OTHER_SIZES.get(code));
      long bytes = dense.numel() * size;
      return bytes == 0
          ? new byte[0]
          : MemorySegment.ofAddress(TensorAbi.dataPointer(handle))
              .reinterpret(bytes)
              .toArray(ValueLayout.JAVA_BYTE);
    } finally {
      TensorAbi.delete(handle);
    }
  }

  @Test
  void operatorsThatThisLibraryDoesNotWrapGiveLibTorchsBits() {
    Generator numbers = Generator.global();
    List<Tensor> operands =
        List.of(
            Torch.tensor(
                    new double[] {.9, .1, .2, .3, .1, .8, .25, .4, .2, .25, .7, .5, .3, .4, .5, .6},
                    4,
                    4)
                .to(DType.FLOAT32),
            Torch.tensor(new long[] {3, 1, 2, 3}, 4),
            Torch.tensor(new double[] {.5, .25, .125, .75}, 4));
    int equal = 0;
    List<String> unlike = new ArrayList<>();
    for (String text : RegisteredSchemas.all()) {
      if (!isPlain(text)) {
        continue;
      }
      Operator operator = Operator.of(text);
      int tensors =
          (int)
              operator.schema().parameters().stream()
                  .filter(OperatorSchema.Parameter::isRequired)
                  .count();
      for (Tensor operand : operands) {
        long[] handles = new long[tensors];
        Arrays.setAll(handles, _ -> operand.furtherHandle());
        numbers.seed(1);
        Optional<Long> expected =
            BoxedCall.tensor(operator.schema().name(), operator.schema().overload(), handles);
        Arrays.stream(handles).forEach(TensorAbi::delete);
        if (expected.isEmpty()) {
          continue;
        }
        Tensor theirs = new Tensor(expected.get());
        numbers.seed(1);
        OperatorCall call = operator.call();
        for (int i = 0; i < tensors; i++) {
          call.arg(operand);
        }
        if (sameBits(call.tensor(), theirs)) {
          equal++;
        } else {
          unlike.add(text);
        }
        break;
      }
    }
    assertThat(unlike).isEmpty();
    assertThat(equal).isGreaterThan(200);
  }
}
