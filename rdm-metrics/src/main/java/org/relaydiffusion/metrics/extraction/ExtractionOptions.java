package org.relaydiffusion.metrics.extraction;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.Set;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.Device;

/**
 * What features are extracted of, and where they go.
 *
 * @param data a folder or zip of pictures, as {@code ImageFolderDataset} reads it, or an .npz with
 *     ADM's {@code arr_0}
 * @param without names of pictures that are left out, as {@code PictureCheck} finds them
 * @param maxImages the most images, at least 1, which are drawn and then taken in the order of
 *     their names; all when empty
 * @param subsetSeed of that draw, which is that of EDM's data sets; its last 31 bits count
 * @param target the .npz file; one that is there is replaced in the end
 * @param content what it will hold
 * @param leftovers what becomes of the parts of an earlier run that did not end
 * @param batch how many images the network sees at once, at least 1
 * @param workers how many threads decode pictures; 0 leaves it to the calling one
 * @param device where the network takes its images
 * @param network whose features they are
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

  /** What a file of features holds. */
  public enum Content {
    /** Every image's features, {@code feat} and {@code s_feat}, float64. */
    ACTIVATIONS,
    /**
     * Their mean and unbiased covariance: {@code mu}, {@code sigma}, {@code s_mu}, {@code s_sigma},
     * float64, and {@code count}.
     */
    MOMENTS
  }

  /** What becomes of the parts that an earlier run left. */
  public enum Leftovers {
    /** They are used if they are of the same inputs; others are an error. */
    USE,
    /** They are deleted. Only for a process on its own: others could be using them. */
    DISCARD
  }

  /**
   * Which network makes the features: those of another are never mixed with them.
   *
   * @param sha256 of its weights
   * @param numerics how it computes
   */
  public record Network(String sha256, Numerics numerics) {
    @Override
    public String toString() {
      return "%s, %s".formatted(sha256, numerics.name().toLowerCase(Locale.ROOT));
    }
  }

  /**
   * A process among those that share the work. They meet in the file system only: the target's
   * folder is one that all of them see.
   *
   * @param rank 0 to {@code processes - 1}; 0 joins what all have made
   * @param processes how many there are
   * @param patience how long the first waits for the next part of another one
   */
  public record Share(int rank, int processes, Duration patience) {
    /** A process on its own. */
    public static final Share ALONE = new Share(0, 1, Duration.ofMinutes(30));

    /**
     * Checks the numbers.
     *
     * @throws OptionException when the rank is none of the processes'
     */
    public Share {
      if (processes < 1 || rank < 0 || rank >= processes) {
        throw new OptionException("there is no process %s of %s".formatted(rank, processes));
      }
    }

    /** Whether this process writes the file. */
    public boolean isFirst() {
      return rank == 0;
    }
  }

  /**
   * Checks the numbers.
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
          "--fresh is for one process; before several begin anew, delete "
              + PartsFolder.besides(target));
    }
  }
}
