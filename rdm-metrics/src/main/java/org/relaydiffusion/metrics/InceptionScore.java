// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics;

import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.metrics.inception.OutputLayer;

/**
 * The Inception Score (Salimans et al., 2016, arXiv 1606.03498), which measures the confidence of a
 * classifier in each image and the diversity of the classes. Samples are split in order; the score
 * of a split is {@code exp(mean KL(p(y|x) || p(y)))} with p(y) the mean over the split, and is at
 * least 1.
 *
 * @param scores one per split, in order; the last split may be shorter, and has the same weight
 */
public record InceptionScore(List<Double> scores) {
  /** The usual size of a split. */
  public static final int SPLIT_SIZE = 5000;

  /**
   * Logits are computed for this number of rows at a time, so that results do not depend on the
   * batches of the caller.
   */
  private static final int BLOCK_ROWS = 512;

  /** How the bias of the output layer is used. */
  public enum Bias {
    /** It is added, as in RDM's evaluation. */
    WITH,
    /** It is omitted, as in ADM's evaluation. */
    NONE
  }

  /**
   * The parameters of the score.
   *
   * @param splitSize the number of samples in a split, at least 1
   * @param bias how the bias of the output layer is used
   */
  public record Options(int splitSize, Bias bias) {
    /**
     * Checks the split size.
     *
     * @throws OptionException if it is below 1
     */
    public Options {
      if (splitSize < 1) {
        throw new OptionException("splits must have at least 1 sample, but have " + splitSize);
      }
    }

    /** Returns splits of 5000, with the bias. */
    public static Options defaults() {
      return new Options(SPLIT_SIZE, Bias.WITH);
    }
  }

  /** Copies the list, which has at least one score. */
  public InceptionScore {
    scores = List.copyOf(scores);
  }

  /** Returns the mean of the scores of the splits. */
  public double mean() {
    return scores.stream().mapToDouble(s -> s).sum() / scores.size();
  }

  /** Returns the population standard deviation of the scores of the splits: 0 for one split. */
  public double standardDeviation() {
    double mean = mean();
    double squares = scores.stream().mapToDouble(s -> (s - mean) * (s - mean)).sum();
    return Math.sqrt(squares / scores.size());
  }

  /**
   * Computes the score of samples. Logits are float32, everything else is float64.
   *
   * @param pool Inception's pool features of generated images [N, D], N at least 1
   * @param layer computes logits from features; D must match; remains owned by the caller
   * @param options parameters of the score
   * @param work threads, progress and cancellation
   * @throws RdmException if there are no rows, they do not match the layer, or a row or its logits
   *     are not finite
   */
  public static InceptionScore of(
      Activations pool, OutputLayer layer, Options options, WorkOptions work) {
    if (pool.count() == 0 || pool.dimensions() != layer.weight().size(1)) {
      throw new RdmException(
          "%s: cannot compute scores of %s rows of %s features with an output layer of %s"
              .formatted(pool.name(), pool.count(), pool.dimensions(), layer.weight().describe()));
    }
    List<ClassSums> splits = new ArrayList<>();
    ProgressMeter meter = new ProgressMeter(work.listener(), pool.count());
    try (Classifier classifier = new Classifier(pool.name(), layer, options);
        Workers workers = new Workers(work)) {
      PlainRows.forEach(
          pool,
          BLOCK_ROWS,
          workers,
          classifier::classify,
          parts -> meter.advance(add(parts, splits)));
    }
    return new InceptionScore(splits.stream().map(ClassSums::score).toList());
  }

  /** Adds the sums of a block to its splits, in order; returns the number of rows. */
  private static long add(List<Classifier.Part> parts, List<ClassSums> splits) {
    long rows = 0;
    for (Classifier.Part part : parts) {
      if (part.split() == splits.size()) {
        splits.add(part.sums());
      } else {
        splits.getLast().add(part.sums());
      }
      rows += part.sums().count();
    }
    return rows;
  }
}
