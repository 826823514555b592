// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.ffi;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;

/**
 * {@code add_}, which the C ABI does not carry ({@code alpha} is a {@code Scalar}), by way of
 * {@code inductor::accumulate_grad_}, which adds to the gradient of a variable: while recording is
 * off, that is {@code gradient.add_(b)} and nothing else. Newer builds, such as 2.14, have another
 * operator under that name, which makes a new tensor; they, and builds that cannot be asked, are
 * not called so.
 */
public final class AccumulateAbi {
  private static final String NAME = "inductor::accumulate_grad_";
  private static final DispatcherAbi.Symbol SYMBOL = DispatcherAbi.symbol(NAME, "");

  private AccumulateAbi() {}

  /** Asks whether this LibTorch can be called so; takes microseconds. */
  public static boolean isKnown() {
    return SchemaAbi.find(NAME, "") instanceof SchemaAbi.Answer.Registered(String text)
        && text.equals(NAME + "(Tensor variable, Tensor new_grad) -> ()");
  }

  /**
   * {@code a += b}.
   *
   * @param variable a tensor without a gradient, of this thread alone
   * @param a dense, as b is
   * @return whether it was done; otherwise a is as before
   */
  public static boolean addInPlace(long variable, long a, long b) {
    MemorySegment stack = Scratch.stack(2);
    stack.setAtIndex(JAVA_LONG, 0, TensorAbi.clone(variable));
    stack.setAtIndex(JAVA_LONG, 1, TensorAbi.clone(b));
    long place = AutogradAbi.gradPlace(variable);
    long gradient = TensorAbi.clone(a);
    AutogradAbi.swap(place, gradient);
    int code = callUnrecorded(stack);
    AutogradAbi.swap(place, gradient);
    // Another tensor than a would be a sum that was not made in a's memory.
    boolean inPlace = AutogradAbi.areOne(gradient, a);
    TensorAbi.delete(gradient);
    return code == 0 && inPlace;
  }

  private static int callUnrecorded(MemorySegment stack) {
    boolean recording = TensorAbi.gradEnabled();
    if (!recording) {
      return DispatcherAbi.call(SYMBOL, stack);
    }
    TensorAbi.setGradEnabled(false);
    try {
      return DispatcherAbi.call(SYMBOL, stack);
    } finally {
      TensorAbi.setGradEnabled(true);
    }
  }
}
