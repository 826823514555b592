package org.relaydiffusion.torch;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.ffi.NativeCallException;
import org.relaydiffusion.torch.ffi.TensorAbi;

/**
 * Element by element: arithmetic, comparison and elementary functions, with PyTorch's broadcasting
 * and type promotion. A {@code double} operand keeps the tensor's floating type, as a Python number
 * does.
 */
public final class Pointwise {
  private static final Op MUL = Op.of("aten::mul.Tensor");
  private static final Op MUL_ = Op.of("aten::mul_.Tensor");
  private static final Op DIV = Op.of("aten::div.Tensor");
  private static final Op NEG = Op.of("aten::neg");
  private static final Op EXP = Op.of("aten::exp");
  private static final Op EXP2 = Op.of("aten::exp2");
  private static final Op LOG = Op.of("aten::log");
  private static final Op SQRT = Op.of("aten::sqrt");
  private static final Op SIN = Op.of("aten::sin");
  private static final Op COS = Op.of("aten::cos");
  private static final Op ABS = Op.of("aten::abs");
  private static final Op SIGMOID = Op.of("aten::sigmoid");
  private static final Op SILU = Op.of("aten::silu");
  private static final Op SILU_ = Op.of("aten::silu_");
  private static final Op RELU_ = Op.of("aten::relu_");
  private static final Op RECIPROCAL = Op.of("aten::reciprocal");
  private static final Op SQUARE = Op.of("aten::square");
  private static final Op POW = Op.of("aten::pow.Tensor_Tensor");
  private static final Op CLAMP = Op.of("aten::clamp.Tensor");
  private static final Op MAXIMUM = Op.of("aten::maximum");
  private static final Op MINIMUM = Op.of("aten::minimum");
  private static final Op WHERE = Op.of("aten::where.self");
  private static final Op EQ = Op.of("aten::eq.Tensor");
  private static final Op LT = Op.of("aten::lt.Tensor");
  private static final Op GT = Op.of("aten::gt.Tensor");
  private static final Op NAN_TO_NUM_ = Op.of("aten::nan_to_num_");
  private static final Op ISFINITE = Op.of("aten::isfinite");

  // The foreach forms take their scalars as a tensor, which the C ABI can pass; each is the plain
  // kernel. They have no derivative.
  private static final Op ADDCMUL = Op.of("aten::_foreach_addcmul.Tensor");
  private static final Op ADDCMUL_ = Op.of("aten::_foreach_addcmul_.Tensor");

  private Pointwise() {}

  /** {@code a + b}. */
  public static Tensor add(Tensor a, Tensor b) {
    // The C ABI takes no Scalar, so alpha of add.Tensor cannot be given; a - (-1) b is the same
    // kernel.
    return subtract(a, b, -1);
  }

  /** {@code a + value}. */
  public static Tensor add(Tensor a, double value) {
    try (Tensor v = number(value, a)) {
      return subtract(a, v, -1);
    }
  }

  /** {@code a - b}. */
  public static Tensor sub(Tensor a, Tensor b) {
    return subtract(a, b, 1);
  }

  /** {@code a + alpha b}. */
  public static Tensor addScaled(Tensor a, Tensor b, double alpha) {
    return subtract(a, b, -alpha);
  }

  /** {@code a * b}. */
  public static Tensor mul(Tensor a, Tensor b) {
    return MUL.args().t(a).t(b).tensor();
  }

  /** {@code a * value}. */
  public static Tensor mul(Tensor a, double value) {
    try (Tensor v = number(value, a)) {
      return MUL.args().t(a).t(v).tensor();
    }
  }

  /** {@code a *= b}; returns a. */
  public static Tensor mulInPlace(Tensor a, Tensor b) {
    return MUL_.args().t(a).t(b).into(a);
  }

  /** {@code a / b}. */
  public static Tensor div(Tensor a, Tensor b) {
    return DIV.args().t(a).t(b).tensor();
  }

  /** {@code a / value}. */
  public static Tensor div(Tensor a, double value) {
    try (Tensor v = number(value, a)) {
      return DIV.args().t(a).t(v).tensor();
    }
  }

  /**
   * {@code a + b c}, broadcast ({@code torch.addcmul}): where a gradient is recorded, too, the sum
   * has the bits of one pass, whose product need not be rounded. It then takes two more.
   */
  public static Tensor addcmul(Tensor a, Tensor b, Tensor c) {
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
    try (Tensor one = Torch.ones(DType.FLOAT64, 1)) {
      return ADDCMUL
          .args()
          .list(List.of(a))
          .list(List.of(b))
          .list(List.of(c))
          .t(one)
          .tensorList()
          .getFirst();
    }
  }

  /** {@code a += b}; returns a. Where a gradient is recorded, the sum is copied into a. */
  public static Tensor addInPlace(Tensor a, Tensor b) {
    a.checkWritable();
    if (Autograd.records(a, b)) {
      try (Tensor sum = add(a, b)) {
        return a.copyFrom(sum);
      }
    }
    // addcmul_ with a factor of one: x + 1 y is x + y to the bit, and add_ cannot be called
    // (Scalar).
    // The factor lies where a does and has no axes, so that it fits every device and shape.
    try (Tensor one = Torch.ones(DType.FLOAT64, 1);
        Tensor factor = Torch.full(1, a.dtype(), a.device())) {
      ADDCMUL_.args().list(List.of(a)).list(List.of(b)).list(List.of(factor)).t(one).done();
    }
    return a;
  }

  /** {@code -x}. */
  public static Tensor neg(Tensor x) {
    return NEG.args().t(x).tensor();
  }

  /** {@code e^x}. */
  public static Tensor exp(Tensor x) {
    return EXP.args().t(x).tensor();
  }

  /** {@code 2^x}. */
  public static Tensor exp2(Tensor x) {
    return EXP2.args().t(x).tensor();
  }

  /** The natural logarithm. */
  public static Tensor log(Tensor x) {
    return LOG.args().t(x).tensor();
  }

  /** The square root. */
  public static Tensor sqrt(Tensor x) {
    return SQRT.args().t(x).tensor();
  }

  /** The sine of x in radians. */
  public static Tensor sin(Tensor x) {
    return SIN.args().t(x).tensor();
  }

  /** The cosine of x in radians. */
  public static Tensor cos(Tensor x) {
    return COS.args().t(x).tensor();
  }

  /** The absolute value. */
  public static Tensor abs(Tensor x) {
    return ABS.args().t(x).tensor();
  }

  /** {@code 1 / (1 + e^-x)}. */
  public static Tensor sigmoid(Tensor x) {
    return SIGMOID.args().t(x).tensor();
  }

  /** {@code x sigmoid(x)}. */
  public static Tensor silu(Tensor x) {
    return SILU.args().t(x).tensor();
  }

  /** {@code x = x sigmoid(x)}; returns x. */
  public static Tensor siluInPlace(Tensor x) {
    return SILU_.args().t(x).into(x);
  }

  /** {@code x = max(x, 0)}; returns x. */
  public static Tensor reluInPlace(Tensor x) {
    return RELU_.args().t(x).into(x);
  }

  /** {@code 1 / x}. */
  public static Tensor reciprocal(Tensor x) {
    return RECIPROCAL.args().t(x).tensor();
  }

  /** {@code x^2}. */
  public static Tensor square(Tensor x) {
    return SQUARE.args().t(x).tensor();
  }

  /** {@code base^exponent}, broadcast. */
  public static Tensor pow(Tensor base, Tensor exponent) {
    return POW.args().t(base).t(exponent).tensor();
  }

  /** x within [min, max]; a bound may be absent. */
  public static Tensor clamp(Tensor x, @Nullable Tensor min, @Nullable Tensor max) {
    return CLAMP.args().t(x).optional(min).optional(max).tensor();
  }

  /** The larger of each pair. */
  public static Tensor maximum(Tensor a, Tensor b) {
    return MAXIMUM.args().t(a).t(b).tensor();
  }

  /** The smaller of each pair. */
  public static Tensor minimum(Tensor a, Tensor b) {
    return MINIMUM.args().t(a).t(b).tensor();
  }

  /** {@code condition ? a : b}. */
  public static Tensor where(Tensor condition, Tensor a, Tensor b) {
    return WHERE.args().t(condition).t(a).t(b).tensor();
  }

  /** {@code a == b}, as bool. */
  public static Tensor eq(Tensor a, Tensor b) {
    return EQ.args().t(a).t(b).tensor();
  }

  /** {@code a < b}, as bool. */
  public static Tensor lt(Tensor a, Tensor b) {
    return LT.args().t(a).t(b).tensor();
  }

  /** {@code a > b}, as bool. */
  public static Tensor gt(Tensor a, Tensor b) {
    return GT.args().t(a).t(b).tensor();
  }

  /** Neither infinite nor NaN, as bool. */
  public static Tensor isFinite(Tensor x) {
    return ISFINITE.args().t(x).tensor();
  }

  /**
   * Replaces elements that are not numbers, +infinity and -infinity; finite ones stay, however
   * large. Returns x.
   */
  public static Tensor nanToNumInPlace(
      Tensor x, double nan, double positiveInfinity, double negativeInfinity) {
    return NAN_TO_NUM_
        .args()
        .t(x)
        .someFloat(nan)
        .someFloat(positiveInfinity)
        .someFloat(negativeInfinity)
        .into(x);
  }

  /**
   * A Python number beside {@code a}: two 0-dim tensors would promote, so there it takes a's type.
   */
  private static Tensor number(double value, Tensor a) {
    boolean promoted = a.rank() == 0 && a.dtype().isFloatingPoint();
    return promoted ? Torch.full(value, a.dtype()) : Torch.scalar(value);
  }

  private static Tensor subtract(Tensor a, Tensor b, double alpha) {
    try {
      return new Tensor(Tensor.with(a, b, (x, y) -> TensorAbi.subtract(x, y, alpha)));
    } catch (NativeCallException e) {
      throw TorchException.failed("aten::sub.Tensor(%s, %s, %s)".formatted(a, b, alpha), e);
    }
  }
}
