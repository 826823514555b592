// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

/**
 * Comparison of elements, with results of type bool. Operands are broadcast and promoted by
 * PyTorch's rules.
 */
public final class Comparison {
  private static final Operator EQ =
      Operator.of("aten::eq.Tensor(Tensor self, Tensor other) -> Tensor");
  private static final Operator NE =
      Operator.of("aten::ne.Tensor(Tensor self, Tensor other) -> Tensor");
  private static final Operator LT =
      Operator.of("aten::lt.Tensor(Tensor self, Tensor other) -> Tensor");
  private static final Operator LE =
      Operator.of("aten::le.Tensor(Tensor self, Tensor other) -> Tensor");
  private static final Operator GT =
      Operator.of("aten::gt.Tensor(Tensor self, Tensor other) -> Tensor");
  private static final Operator GE =
      Operator.of("aten::ge.Tensor(Tensor self, Tensor other) -> Tensor");
  private static final Operator ISFINITE = Operator.of("aten::isfinite(Tensor self) -> Tensor");
  private static final Operator ISNAN = Operator.of("aten::isnan(Tensor self) -> Tensor");
  private static final Operator LOGICAL_NOT =
      Operator.of("aten::logical_not(Tensor self) -> Tensor");
  private static final Operator LOGICAL_AND =
      Operator.of("aten::logical_and(Tensor self, Tensor other) -> Tensor");
  private static final Operator LOGICAL_OR =
      Operator.of("aten::logical_or(Tensor self, Tensor other) -> Tensor");

  private Comparison() {}

  /** {@code a == b}, as bool. */
  public static Tensor eq(Tensor a, Tensor b) {
    return EQ.apply(a, b);
  }

  /** {@code a != b}, as bool. */
  public static Tensor ne(Tensor a, Tensor b) {
    return NE.apply(a, b);
  }

  /** {@code a < b}, as bool. */
  public static Tensor lt(Tensor a, Tensor b) {
    return LT.apply(a, b);
  }

  /** {@code a <= b}, as bool. */
  public static Tensor le(Tensor a, Tensor b) {
    return LE.apply(a, b);
  }

  /** {@code a > b}, as bool. */
  public static Tensor gt(Tensor a, Tensor b) {
    return GT.apply(a, b);
  }

  /** {@code a >= b}, as bool. */
  public static Tensor ge(Tensor a, Tensor b) {
    return GE.apply(a, b);
  }

  /** Neither infinite nor NaN, as bool. */
  public static Tensor isFinite(Tensor x) {
    return ISFINITE.apply(x);
  }

  /** Whether an element is NaN, as bool. */
  public static Tensor isNan(Tensor x) {
    return ISNAN.apply(x);
  }

  /** Whether an element is 0, as bool. */
  public static Tensor logicalNot(Tensor x) {
    return LOGICAL_NOT.apply(x);
  }

  /** Whether both elements are other than 0, as bool. */
  public static Tensor logicalAnd(Tensor a, Tensor b) {
    return LOGICAL_AND.apply(a, b);
  }

  /** Whether one element of the two or both are other than 0, as bool. */
  public static Tensor logicalOr(Tensor a, Tensor b) {
    return LOGICAL_OR.apply(a, b);
  }
}
