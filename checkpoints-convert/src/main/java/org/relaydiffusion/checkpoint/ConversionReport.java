package org.relaydiffusion.checkpoint;

import java.nio.file.Path;
import java.util.List;
import org.relaydiffusion.torch.DType;

/**
 * What a conversion wrote, read back and compared.
 *
 * @param source the checkpoint read
 * @param converted the safetensors file written
 * @param tensors every tensor of the network, in its order
 */
public record ConversionReport(Path source, Path converted, List<TensorCheck> tensors) {
  /**
   * One tensor.
   *
   * @param name its dotted name
   * @param dtype its type in the converted file
   * @param shape its sizes
   * @param sha256 of its elements in row-major order, little-endian, in that type: computed anew
   *     from the source, in hexadecimal
   * @param equal whether the converted file's elements have the same sum, type and sizes
   */
  public record TensorCheck(
      String name, DType dtype, List<Long> shape, String sha256, boolean equal) {}

  /** Whether every tensor is equal. */
  public boolean allEqual() {
    return tensors.stream().allMatch(TensorCheck::equal);
  }
}
