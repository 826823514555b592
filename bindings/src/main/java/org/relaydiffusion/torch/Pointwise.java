// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.List;
import java.util.function.BinaryOperator;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.ffi.NativeCallException;
import org.relaydiffusion.torch.ffi.TensorAbi;

/**
 * Element by element: arithmetic and elementary functions, with PyTorch's broadcasting and type
 * promotion. A {@code double} operand keeps the tensor's floating type, as a Python {@code float}
 * does, and beside integers and truth values gives float32, PyTorch's default type.
 */
public final class Pointwise {
  private static final Operator MUL =
      Operator.of("aten::mul.Tensor(Tensor self, Tensor other) -> Tensor");
  private static final Operator MUL_ =
      Operator.of("aten::mul_.Tensor(Tensor(a!) self, Tensor other) -> Tensor(a!)");
  private static final Operator DIV =
      Operator.of("aten::div.Tensor(Tensor self, Tensor other) -> Tensor");
  private static final Operator NEG = Operator.of("aten::neg(Tensor self) -> Tensor");
  private static final Operator EXP = Operator.of("aten::exp(Tensor self) -> Tensor");
  private static final Operator EXP2 = Operator.of("aten::exp2(Tensor self) -> Tensor");
  private static final Operator LOG = Operator.of("aten::log(Tensor self) -> Tensor");
  private static final Operator SQRT = Operator.of("aten::sqrt(Tensor self) -> Tensor");
  private static final Operator SIN = Operator.of("aten::sin(Tensor self) -> Tensor");
  private static final Operator COS = Operator.of("aten::cos(Tensor self) -> Tensor");
  private static final Operator ABS = Operator.of("aten::abs(Tensor self) -> Tensor");
  private static final Operator SIGMOID = Operator.of("aten::sigmoid(Tensor self) -> Tensor");
  private static final Operator SILU = Operator.of("aten::silu(Tensor self) -> Tensor");
  private static final Operator SILU_ = Operator.of("aten::silu_(Tensor(a!) self) -> Tensor(a!)");
  private static final Operator RELU_ = Operator.of("aten::relu_(Tensor(a!) self) -> Tensor(a!)");
  private static final Operator RECIPROCAL = Operator.of("aten::reciprocal(Tensor self) -> Tensor");
  private static final Operator SQUARE = Operator.of("aten::square(Tensor self) -> Tensor");
  private static final Operator POW =
      Operator.of("aten::pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor");
  private static final Operator CLAMP =
      Operator.of("aten::clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor");
  private static final Operator MAXIMUM =
      Operator.of("aten::maximum(Tensor self, Tensor other) -> Tensor");
  private static final Operator MINIMUM =
      Operator.of("aten::minimum(Tensor self, Tensor other) -> Tensor");
  private static final Operator WHERE =
      Operator.of("aten::where.self(Tensor condition, Tensor self, Tensor other) -> Tensor");
  private static final Operator NAN_TO_NUM_ =
      Operator.of(
          "aten::nan_to_num_(Tensor(a!) self, float? nan=None, float? posinf=None, "
              + "float? neginf=None) -> Tensor(a!)");

  // The foreach forms take their scalars as a tensor, which the C ABI can pass; each is the plain
  // kernel. They have no derivative.
  private static final Operator ADDCMUL =
      Operator.of(
          "aten::_foreach_addcmul.Tensor(Tensor[] self, Tensor[] tensor1, Tensor[] tensor2, "
              + "Tensor scalars) -> Tensor[]");
  private static final Operator ADDCMUL_ =
      Operator.of(
          "aten::_foreach_addcmul_.Tensor(Tensor(a!)[] self, Tensor[] tensor1, Tensor[] tensor2, "
              + "Tensor scalars) -> ()");

  private static final Operator RELU = Operator.of("aten::relu(Tensor self) -> Tensor");
  private static final Operator TANH = Operator.of("aten::tanh(Tensor self) -> Tensor");
  private static final Operator ERF = Operator.of("aten::erf(Tensor self) -> Tensor");
  private static final Operator LOG1P = Operator.of("aten::log1p(Tensor self) -> Tensor");
  private static final Operator EXPM1 = Operator.of("aten::expm1(Tensor self) -> Tensor");
  private static final Operator RSQRT = Operator.of("aten::rsqrt(Tensor self) -> Tensor");
  private static final Operator FLOOR = Operator.of("aten::floor(Tensor self) -> Tensor");
  private static final Operator CEIL = Operator.of("aten::ceil(Tensor self) -> Tensor");
  private static final Operator ROUND = Operator.of("aten::round(Tensor self) -> Tensor");
  private static final Operator SIGN = Operator.of("aten::sign(Tensor self) -> Tensor");

  // "none" is the formula with erf, which is the schema's default.
  private static final Operator GELU =
      Operator.of("aten::gelu(Tensor self, *, str approximate=\"none\") -> Tensor");

  private Pointwise() {}

  /** {@code a + b}. */
  public static Tensor add(Tensor a, Tensor b) {
    return addScaled(a, b, 1);
  }

  /** {@code a + value}. */
  public static Tensor add(Tensor a, double value) {
    return withNumber(a, value, Pointwise::add);
  }

  /** {@code a - b}. */
  public static Tensor sub(Tensor a, Tensor b) {
    TorchException.requireNonNull(a, "a");
    TorchException.requireNonNull(b, "b");
    // Truth values are not subtracted: LibTorch says so.
    return a.dtype() == DType.BOOL || b.dtype() == DType.BOOL
        ? subtract(a, b, 1)
        : addScaled(a, b, -1);
  }

  /** {@code a + alpha b}. */
  public static Tensor addScaled(Tensor a, Tensor b, double alpha) {
    Tensor sum = Unboxed.addScaled(a, b, alpha);
    if (sum != null) {
      return sum;
    }
    TorchException.requireNonNull(a, "a");
    TorchException.requireNonNull(b, "b");
    DType x = a.dtype();
    DType y = b.dtype();
    if (!x.isFloatingPoint() && !y.isFloatingPoint() && alpha == Math.rint(alpha)) {
      return addIntegers(a, b, (long) alpha);
    }
    // The C ABI takes no Scalar, so alpha of add.Tensor cannot be given; a - (-alpha) b is the same
    // kernel, but for truth values, which take the other's type in a sum.
    try (Tensor first = a.to(x == DType.BOOL ? y : x);
        Tensor second = b.to(y == DType.BOOL ? x : y)) {
      return subtract(first, second, -alpha);
    }
  }

  /**
   * The C functions' alpha is a float, which LibTorch refuses for integers; {@code a + alpha b 1}
   * is theirs too. Truth values are added as {@code torch.add} does, and not subtracted.
   */
  private static Tensor addIntegers(Tensor a, Tensor b, long alpha) {
    DType x = a.dtype();
    DType y = b.dtype();
    if (x == DType.BOOL && y == DType.BOOL) {
      return alpha < 0 ? subtract(a, b, (double) -alpha) : Comparison.logicalOr(a, b);
    }
    // The factor must not promote: beside axes one without any does not, unless of a higher kind.
    boolean axes = a.rank() > 0 || b.rank() > 0;
    DType factorType =
        x == y || y == DType.BOOL ? x : x == DType.BOOL ? y : axes ? DType.INT64 : DType.INT8;
    try (Tensor number = Torch.scalar(alpha);
        Tensor typed = number.to(factorType);
        Tensor factor = typed.to(a.device())) {
      return addcmulInOnePass(a, b, factor);
    }
  }

  /** {@code a * b}. */
  public static Tensor mul(Tensor a, Tensor b) {
    Tensor product = Unboxed.mul(a, b);
    return product != null ? product : MUL.apply(a, b);
  }

  /** {@code a * value}. */
  public static Tensor mul(Tensor a, double value) {
    return withNumber(a, value, Pointwise::mul);
  }

  /** {@code a *= b}; returns a. */
  public static Tensor mulInPlace(Tensor a, Tensor b) {
    return MUL_.apply(a, b);
  }

  /** {@code a / b}. */
  public static Tensor div(Tensor a, Tensor b) {
    return DIV.apply(a, b);
  }

  /** {@code a / value}. */
  public static Tensor div(Tensor a, double value) {
    return withNumber(a, value, Pointwise::div);
  }

  /**
   * {@code a + b c}, broadcast ({@code torch.addcmul}): where a gradient is recorded, too, the sum
   * has the bits of one pass, whose product need not be rounded. It then takes two more.
   */
  public static Tensor addcmul(Tensor a, Tensor b, Tensor c) {
    TorchException.requireNonNull(a, "a");
    TorchException.requireNonNull(b, "b");
    TorchException.requireNonNull(c, "c");
    if (!Autograd.records(a, b, c)) {
      return addcmulInOnePass(a, b, c);
    }
    // The foreach form has no derivative; that of the product and the sum is addcmul's.
    try (Tensor product = mul(b, c)) {
      Tensor sum = add(a, product);
      try (GradMode _ = GradMode.noGrad();
          Tensor value = addcmulInOnePass(a, b, c)) {
        return Autograd.withValue(sum, value);
      }
    }
  }

  private static Tensor addcmulInOnePass(Tensor a, Tensor b, Tensor c) {
    return ADDCMUL
        .call()
        .arg(List.of(a))
        .arg(List.of(b))
        .arg(List.of(c))
        .arg(Constants.factorOne())
        .tensorList()
        .getFirst();
  }

  /**
   * {@code a += b}; returns a. Where a gradient is recorded, the sum is copied into a.
   *
   * @throws TorchException also when b is floating-point and a is not
   */
  public static Tensor addInPlace(Tensor a, Tensor b) {
    TorchException.requireNonNull(a, "a");
    TorchException.requireNonNull(b, "b");
    if (Autograd.records(a, b)) {
      if (b.dtype().isFloatingPoint() && !a.dtype().isFloatingPoint()) {
        // The copy would convert what LibTorch refuses to convert in place.
        throw new TorchException(
            "%s cannot be added to %s in place: the sum is %s"
                .formatted(b.describe(), a.describe(), b.dtype().torchName()));
      }
      try (Tensor sum = add(a, b)) {
        return a.copyFrom(sum);
      }
    }
    a.checkWritable();
    if (InPlaceSum.add(a, b)) {
      return a;
    }
    // addcmul_ with a factor of one: x + 1 y is x + y to the bit, and add_ cannot be called
    // (Scalar).
    // The factor lies where a does and has no axes, so that it fits every device and shape.
    if (a.device().equals(Device.CPU)) {
      addcmulInOnePassInPlace(a, b, Constants.one(a.dtype()));
    } else {
      try (Tensor factor = Torch.full(1, a.dtype(), a.device())) {
        addcmulInOnePassInPlace(a, b, factor);
      }
    }
    return a;
  }

  private static void addcmulInOnePassInPlace(Tensor a, Tensor b, Tensor c) {
    ADDCMUL_
        .call()
        .arg(List.of(a))
        .arg(List.of(b))
        .arg(List.of(c))
        .arg(Constants.factorOne())
        .run();
  }

  /** {@code -x}. */
  public static Tensor neg(Tensor x) {
    return NEG.apply(x);
  }

  /** {@code e^x}. */
  public static Tensor exp(Tensor x) {
    return EXP.apply(x);
  }

  /** {@code 2^x}. */
  public static Tensor exp2(Tensor x) {
    return EXP2.apply(x);
  }

  /** The natural logarithm. */
  public static Tensor log(Tensor x) {
    return LOG.apply(x);
  }

  /** The square root. */
  public static Tensor sqrt(Tensor x) {
    return SQRT.apply(x);
  }

  /** The sine of x in radians. */
  public static Tensor sin(Tensor x) {
    return SIN.apply(x);
  }

  /** The cosine of x in radians. */
  public static Tensor cos(Tensor x) {
    return COS.apply(x);
  }

  /** The absolute value. */
  public static Tensor abs(Tensor x) {
    return ABS.apply(x);
  }

  /** {@code 1 / (1 + e^-x)}. */
  public static Tensor sigmoid(Tensor x) {
    return SIGMOID.apply(x);
  }

  /** {@code x sigmoid(x)}. */
  public static Tensor silu(Tensor x) {
    return SILU.apply(x);
  }

  /** {@code x = x sigmoid(x)}; returns x. */
  public static Tensor siluInPlace(Tensor x) {
    return SILU_.apply(x);
  }

  /** {@code x = max(x, 0)}; returns x. */
  public static Tensor reluInPlace(Tensor x) {
    return RELU_.apply(x);
  }

  /** {@code 1 / x}. */
  public static Tensor reciprocal(Tensor x) {
    return RECIPROCAL.apply(x);
  }

  /** {@code x^2}. */
  public static Tensor square(Tensor x) {
    return SQUARE.apply(x);
  }

  /** {@code base^exponent}, broadcast. */
  public static Tensor pow(Tensor base, Tensor exponent) {
    return POW.apply(base, exponent);
  }

  /** x within [min, max]; a bound may be absent. */
  public static Tensor clamp(Tensor x, @Nullable Tensor min, @Nullable Tensor max) {
    return CLAMP.call().arg(x).arg(min).arg(max).tensor();
  }

  /** The larger of each pair. */
  public static Tensor maximum(Tensor a, Tensor b) {
    return MAXIMUM.apply(a, b);
  }

  /** The smaller of each pair. */
  public static Tensor minimum(Tensor a, Tensor b) {
    return MINIMUM.apply(a, b);
  }

  /** {@code condition ? a : b}. */
  public static Tensor where(Tensor condition, Tensor a, Tensor b) {
    return WHERE.call().arg(condition).arg(a).arg(b).tensor();
  }

  /** {@code max(x, 0)}. */
  public static Tensor relu(Tensor x) {
    return RELU.apply(x);
  }

  /** The hyperbolic tangent. */
  public static Tensor tanh(Tensor x) {
    return TANH.apply(x);
  }

  /**
   * The error function, {@code 2 / sqrt(pi)} times the integral of {@code e^(-t^2)} from 0 to x.
   */
  public static Tensor erf(Tensor x) {
    return ERF.apply(x);
  }

  /** {@code log(1 + x)}, exact near 0. */
  public static Tensor log1p(Tensor x) {
    return LOG1P.apply(x);
  }

  /** {@code e^x - 1}, exact near 0. */
  public static Tensor expm1(Tensor x) {
    return EXPM1.apply(x);
  }

  /** {@code 1 / sqrt(x)}. */
  public static Tensor rsqrt(Tensor x) {
    return RSQRT.apply(x);
  }

  /** The largest whole number that is not above x. */
  public static Tensor floor(Tensor x) {
    return FLOOR.apply(x);
  }

  /** The smallest whole number that is not below x. */
  public static Tensor ceil(Tensor x) {
    return CEIL.apply(x);
  }

  /** The nearest whole number; the even one of two. */
  public static Tensor round(Tensor x) {
    return ROUND.apply(x);
  }

  /** -1, 0 or 1. */
  public static Tensor sign(Tensor x) {
    return SIGN.apply(x);
  }

  /**
   * {@code x Phi(x)}, with the normal distribution's Phi: the Gaussian error linear unit. The
   * operator takes a string, so that LibTorch 2.10 loses 32 bytes a call.
   */
  public static Tensor gelu(Tensor x) {
    return GELU.apply(x);
  }

  /** {@code a - value}. */
  public static Tensor sub(Tensor a, double value) {
    TorchException.requireNonNull(a, "a");
    try (Tensor v = number(value, a)) {
      return subtract(a, v, 1);
    }
  }

  /**
   * {@code x^exponent}. For 0.5, 2, 3, -0.5, -1 and -2, which LibTorch computes without the general
   * power, it has the bits of {@code torch.pow} with a number; for others some elements may differ
   * in the last place.
   */
  public static Tensor pow(Tensor x, double exponent) {
    TorchException.requireNonNull(x, "x");
    Tensor quick = x.dtype().isFloatingPoint() ? quickPow(x, exponent) : null;
    if (quick != null) {
      return quick;
    }
    try (Tensor e = number(exponent, x)) {
      return POW.apply(x, e);
    }
  }

  /** The exponents that LibTorch computes without the general power, or null. */
  private static @Nullable Tensor quickPow(Tensor x, double exponent) {
    if (exponent == 0.5) {
      return sqrt(x);
    }
    if (exponent == -0.5) {
      return rsqrt(x);
    }
    if (exponent == -1) {
      return reciprocal(x);
    }
    if (exponent == 2) {
      return square(x);
    }
    if (exponent == 3 || exponent == -2) {
      try (Tensor squared = square(x)) {
        return exponent == 3 ? mul(squared, x) : reciprocal(squared);
      }
    }
    return null;
  }

  /** x within [min, max]. */
  public static Tensor clamp(Tensor x, double min, double max) {
    try (Tensor low = bound(min, x);
        Tensor high = bound(max, x)) {
      return clamp(x, low, high);
    }
  }

  /** Where x lies: unlike binary operators, clamp takes no CPU number beside a CUDA tensor. */
  private static Tensor bound(double value, Tensor x) {
    TorchException.requireNonNull(x, "x");
    DType type = x.dtype();
    return Torch.full(value, type.isFloatingPoint() ? type : DType.FLOAT32, x.device());
  }

  /**
   * Replaces elements that are not numbers, +infinity and -infinity; finite ones stay, however
   * large. Returns x.
   */
  public static Tensor nanToNumInPlace(
      Tensor x, double nan, double positiveInfinity, double negativeInfinity) {
    return NAN_TO_NUM_.call().arg(x).arg(nan).arg(positiveInfinity).arg(negativeInfinity).tensor();
  }

  /**
   * A Python {@code float} beside {@code a}: two 0-dim tensors would promote, so there it takes a's
   * type, and beside integers PyTorch's default type.
   */
  private static Tensor number(double value, Tensor a) {
    TorchException.requireNonNull(a, "a");
    DType type = a.dtype();
    if (!type.isFloatingPoint()) {
      return Torch.full(value, DType.FLOAT32);
    }
    return a.rank() == 0 ? Torch.full(value, type) : Torch.scalar(value);
  }

  private static Tensor withNumber(Tensor a, double value, BinaryOperator<Tensor> operator) {
    Tensor operand = NumberOperand.beside(a, value);
    if (operand != null) {
      return operator.apply(a, operand);
    }
    try (Tensor v = number(value, a)) {
      return operator.apply(a, v);
    }
  }

  private static Tensor subtract(Tensor a, Tensor b, double alpha) {
    try {
      return new Tensor(Tensor.with(a, b, (x, y) -> TensorAbi.subtract(x, y, alpha)));
    } catch (NativeCallException e) {
      throw TorchException.failed(
          "aten::sub.Tensor(%s, %s, %s)".formatted(a.describe(), b.describe(), alpha), e);
    }
  }
}
