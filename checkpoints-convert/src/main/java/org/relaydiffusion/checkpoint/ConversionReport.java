// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.nio.file.Path;
import java.util.List;
import org.relaydiffusion.torch.DType;

/**
 * The verified result of a conversion.
 *
 * @param source the checkpoint that was read
 * @param converted the safetensors file that was written
 * @param tensors every tensor of the network, in its order
 */
public record ConversionReport(Path source, Path converted, List<TensorCheck> tensors) {
  /**
   * One tensor.
   *
   * @param name its dotted name
   * @param dtype its dtype in the converted file
   * @param shape its shape
   * @param sha256 of its elements in that dtype, row-major and little-endian, computed again from
   *     the source, in hexadecimal
   * @param equal whether the converted file has the same SHA-256, dtype and shape
   */
  public record TensorCheck(
      String name, DType dtype, List<Long> shape, String sha256, boolean equal) {}

  /** Returns whether every tensor is equal. */
  public boolean allEqual() {
    return tensors.stream().allMatch(TensorCheck::equal);
  }
}
