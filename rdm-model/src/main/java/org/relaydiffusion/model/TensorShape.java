// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model;

import java.util.Arrays;
import java.util.List;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.TensorData;

/**
 * What a file says of one tensor, without its elements.
 *
 * @param dtype the element type
 * @param sizes outermost first
 */
public record TensorShape(DType dtype, List<Long> sizes) {
  /** The same, from an array. */
  public static TensorShape of(DType dtype, long... sizes) {
    return new TensorShape(dtype, Arrays.stream(sizes).boxed().toList());
  }

  /** The shape of a tensor in memory. */
  public static TensorShape of(TensorData data) {
    return of(data.dtype(), data.shape());
  }
}
