package org.relaydiffusion.diffusion.train;

import java.nio.file.Path;
import java.util.Arrays;
import org.relaydiffusion.FileException;
import org.relaydiffusion.checkpoint.Checkpoint;
import org.relaydiffusion.checkpoint.StoredTensor;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Preconditioner;

/** Whether a run can begin with a network's weights. */
public final class TransferCheck {
  private TransferCheck() {}

  /**
   * Refuses a file whose tensors do not fit those of the same names.
   *
   * @param file with the weights
   * @param wanted the network that is to have them
   * @throws FileException naming the file, and the tensor that does not fit
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
                  "tensor '%s' has shape %s, but the network's has %s: the options describe another"
                          .formatted(name, Arrays.toString(stored.shape()), Arrays.toString(shape))
                      + " network");
            }
          });
    }
  }
}
