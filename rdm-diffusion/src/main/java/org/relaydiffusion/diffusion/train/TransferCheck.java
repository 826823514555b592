// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;
import java.util.Arrays;
import org.relaydiffusion.FileException;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.StoredTensor;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Preconditioner;

/** Checks whether a run can start from the weights of a network. */
public final class TransferCheck {
  private TransferCheck() {}

  /**
   * Rejects a file whose tensors do not match those with the same names.
   *
   * @param file with the weights
   * @param wanted the network that is to be initialized
   * @throws FileException naming the file, and the tensor that does not match
   */
  public static void require(Path file, ModelConfig wanted) {
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      var tensors = checkpoint.network().tensors();
      Preconditioner.shapes(wanted)
          .forEach((name, shape) -> {
            StoredTensor stored = tensors.get(name);
            if (stored != null && !Arrays.equals(stored.shape(), shape)) {
              throw new FileException(
                  file,
                  ("tensor '%s' has shape %s, but that of the network has %s: the options describe"
                              + " another")
                          .formatted(name, Arrays.toString(stored.shape()), Arrays.toString(shape))
                      + " network");
            }
          });
    }
  }
}
