// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch;

import java.util.Set;

/**
 * What LibTorch 2.10's CUDA kernels do about operands on the CPU, and when they make the CPU wait.
 * {@code DeviceRulesTest} compares this with what a LibTorch with CUDA did.
 */
final class DeviceRules {
  /** What becomes of an operand on the CPU beside one on a device. */
  enum CpuOperand {
    /** LibTorch throws. */
    REFUSED,
    /** Its number is passed to the kernel. */
    NUMBER,
    /** It is copied to the device. */
    COPIED,
    /** It is written, with a number that is read back from the device. */
    FILLED
  }

  /** Elementwise, with {@code TensorIteratorConfig::allow_cpu_scalars}. */
  private static final Set<String> TAKES_CPU_NUMBERS =
      Set.of(
          "aten::add",
          "aten::sub",
          "aten::mul",
          "aten::mul_",
          "aten::div",
          "aten::pow",
          "aten::eq",
          "aten::ne",
          "aten::lt",
          "aten::lt_",
          "aten::le",
          "aten::gt",
          "aten::ge",
          "aten::maximum",
          "aten::minimum",
          "aten::remainder",
          "aten::floor_divide");

  /** Parameters that take a number of the CPU in operators that refuse it elsewhere. */
  private static final Set<String> NUMBERS =
      Set.of(
          "aten::logical_and other",
          "aten::logical_or other",
          "aten::fill_ value",
          "aten::masked_fill value",
          "aten::_foreach_mul_ other",
          "aten::_foreach_lerp weights",
          "aten::_foreach_lerp_ weights");

  private static final Set<String> INDEXES =
      Set.of("aten::index", "aten::index_put", "aten::index_put_");

  /** Their results' sizes, or the answer itself, are read back from the device. */
  private static final Set<String> WAITS =
      Set.of(
          "aten::nonzero",
          "aten::masked_select",
          "aten::equal",
          "aten::is_nonzero",
          "aten::item",
          "aten::bincount",
          "aten::multinomial",
          "aten::unique_dim",
          "aten::linalg_eigh",
          "aten::linalg_eigvalsh",
          "aten::linalg_svd",
          "aten::linalg_svdvals");

  private DeviceRules() {}

  /** What becomes of an operand on the CPU, of {@code rank} axes, beside one on a device. */
  static CpuOperand besideDevice(String operator, String parameter, boolean written, int rank) {
    if (written) {
      return operator.equals("aten::fill_") ? CpuOperand.FILLED : CpuOperand.REFUSED;
    }
    if (parameter.equals("scalars")) {
      return CpuOperand.NUMBER;
    }
    if (INDEXES.contains(operator) && parameter.equals("indices")) {
      return CpuOperand.COPIED;
    }
    if (rank > 0) {
      return CpuOperand.REFUSED;
    }
    if (TAKES_CPU_NUMBERS.contains(operator) || NUMBERS.contains(operator + " " + parameter)) {
      return CpuOperand.NUMBER;
    }
    boolean copied =
        operator.equals("aten::where")
            || (INDEXES.contains(operator) && parameter.equals("values"));
    return copied ? CpuOperand.COPIED : CpuOperand.REFUSED;
  }

  /** Whether an operand must be on the CPU, whatever the others are on. */
  static boolean isOfTheHost(String parameter) {
    return parameter.equals("scalars");
  }

  /** Whether an operator that computes on a device makes the CPU wait for it. */
  static boolean waits(String operator) {
    return WAITS.contains(operator);
  }

  /** Whether the CPU waits for an operand that lies on a device, to read it. */
  static boolean readsBack(String operator, String parameter, Tensor operand) {
    if (INDEXES.contains(operator) && parameter.equals("indices")) {
      return operand.dtype() == DType.BOOL || operand.dtype() == DType.UINT8;
    }
    return operator.equals("aten::linspace")
        || (operator.equals("aten::masked_fill") && parameter.equals("value"));
  }

  /** Whether it has no kernels for CUDA. */
  static boolean isOfTheCpu(String operator) {
    return operator.contains("mkldnn");
  }
}
