// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.Set;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.CudaPrecision.Tf32;
import org.relaydiffusion.torch.Device;

/**
 * The input and output of an extraction.
 *
 * @param data a folder or zip of images, as read by {@code ImageFolderDataset}, or an .npz with
 *     ADM's {@code arr_0}
 * @param without names of images to skip, as found by {@code PictureCheck}
 * @param maxImages maximum number of images, at least 1, which are drawn at random and then used in
 *     the order of their names; all if empty
 * @param subsetSeed of the draw, which is that of EDM's data sets; its lowest 31 bits are used
 * @param target the .npz file; an existing one is replaced at the end
 * @param content of the file
 * @param leftovers what happens to parts of an earlier, unfinished run
 * @param batch batch size of the network, at least 1
 * @param workers number of threads that decode images; with 0, the calling thread decodes
 * @param device of the network's input
 * @param network whose features are extracted
 * @param share this process among those that share the work
 */
public record ExtractionOptions(
    Path data,
    Set<String> without,
    OptionalInt maxImages,
    long subsetSeed,
    Path target,
    Content content,
    Leftovers leftovers,
    int batch,
    int workers,
    Device device,
    Network network,
    Share share) {

  /** The content of a file of features. */
  public enum Content {
    /** The features of every image, {@code feat} and {@code s_feat}, float64. */
    ACTIVATIONS,
    /**
     * Their mean and unbiased covariance: {@code mu}, {@code sigma}, {@code s_mu}, {@code s_sigma},
     * float64, and {@code count}.
     */
    MOMENTS
  }

  /** What happens to parts of an earlier run. */
  public enum Leftovers {
    /** They are used if they are of the same inputs; others are an error. */
    USE,
    /** They are deleted. Only valid for a single process: others could be using them. */
    DISCARD
  }

  /**
   * The network that computes the features; those of different networks are never mixed.
   *
   * @param sha256 of its weights
   * @param numerics of the computation
   * @param tf32 whether it may use TensorFloat-32, which only CUDA has
   */
  public record Network(String sha256, Numerics numerics, Tf32 tf32) {
    /** Creates a network that does not use TensorFloat-32. */
    public Network(String sha256, Numerics numerics) {
      this(sha256, numerics, Tf32.FORBIDDEN);
    }
  }

  /**
   * A process among those that share the work. They communicate through the file system only: the
   * folder of the target must be visible to all of them.
   *
   * @param rank 0 to {@code processes - 1}; 0 joins the parts of all
   * @param processes number of processes
   * @param patience timeout of the first process for the next part of another one
   */
  public record Share(int rank, int processes, Duration patience) {
    /** A single process. */
    public static final Share ALONE = new Share(0, 1, Duration.ofMinutes(30));

    /**
     * Checks the values.
     *
     * @throws OptionException if the rank is none of the processes'
     */
    public Share {
      if (processes < 1 || rank < 0 || rank >= processes) {
        throw new OptionException("rank %s is not one of %s processes".formatted(rank, processes));
      }
    }

    /** Returns whether this process writes the file. */
    public boolean isFirst() {
      return rank == 0;
    }
  }

  /** Returns whether features may be computed with TensorFloat-32. */
  public boolean usesTf32() {
    return device.type() == Device.Type.CUDA && network.tf32() == Tf32.ALLOWED;
  }

  /** Returns the network in words: parts with equal words can be joined. */
  String networkText() {
    return "%s, %s%s"
        .formatted(
            network.sha256(),
            network.numerics().name().toLowerCase(Locale.ROOT),
            usesTf32() ? ", tf32" : "");
  }

  /**
   * Checks the values.
   *
   * @throws OptionException naming the one that is out of range
   */
  public ExtractionOptions {
    if (maxImages.isPresent() && maxImages.getAsInt() < 1) {
      throw new OptionException("--max-images must be at least 1, but is " + maxImages.getAsInt());
    }
    if (batch < 1) {
      throw new OptionException("--batch must be at least 1, but is " + batch);
    }
    if (leftovers == Leftovers.DISCARD && share.processes() > 1) {
      throw new OptionException(
          "--fresh requires a single process; with several, delete this folder before they start: "
              + PartsFolder.besides(target));
    }
  }
}
