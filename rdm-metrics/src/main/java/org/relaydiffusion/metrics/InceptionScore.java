package org.relaydiffusion.metrics;

import java.util.ArrayList;
import java.util.List;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.metrics.inception.OutputLayer;

/**
 * The Inception Score (Salimans et al., 2016, arXiv 1606.03498): how sure a classifier is of each
 * picture, and how many classes it sees in all. Samples are split in order; a split's score is
 * {@code exp(mean KL(p(y|x) || p(y)))} with p(y) the mean over the split, 1 or more.
 *
 * @param scores one a split, in order; the last split may be short, and counts as the others do
 */
public record InceptionScore(List<Double> scores) {
  /** The usual size of a split. */
  public static final int SPLIT_SIZE = 5000;

  /** Logits are made of this many rows at a time, so that callers' batches change no bit. */
  private static final int BLOCK_ROWS = 512;

  /** What becomes of the output layer's bias. */
  public enum Bias {
    /** It is added, as RDM's evaluation does. */
    WITH,
    /** It is left out, as ADM's evaluation does. */
    NONE
  }

  /**
   * How samples are scored.
   *
   * @param splitSize the number of samples in a split, 1 or more
   * @param bias what becomes of the output layer's bias
   */
  public record Options(int splitSize, Bias bias) {
    /** Checks the split size. */
    public Options {
      if (splitSize < 1) {
        throw new OptionException("splits must have 1 sample or more, not " + splitSize);
      }
    }

    /** Splits of 5000, with the bias. */
    public static Options defaults() {
      return new Options(SPLIT_SIZE, Bias.WITH);
    }
  }

  /** Copies the list, which has one score or more. */
  public InceptionScore {
    scores = List.copyOf(scores);
  }

  /** The mean of the splits' scores. */
  public double mean() {
    return scores.stream().mapToDouble(s -> s).sum() / scores.size();
  }

  /** The standard deviation of the splits' scores, as that of a whole population: 0 for one. */
  public double standardDeviation() {
    double mean = mean();
    double squares = scores.stream().mapToDouble(s -> (s - mean) * (s - mean)).sum();
    return Math.sqrt(squares / scores.size());
  }

  /**
   * Scores samples. Logits are float32, all else float64.
   *
   * @param pool Inception's pool features of generated images [N, D], N at least 1
   * @param layer from features to logits; D must fit
   * @throws RdmException when there are no rows, they do not fit the layer, or a row or its logits
   *     are not finite
   */
  public static InceptionScore of(
      Activations pool, OutputLayer layer, Options options, WorkOptions work) {
    if (pool.count() == 0 || pool.dimensions() != layer.weight().size(1)) {
      throw new RdmException(
          "%s: %s rows of %s features cannot be scored by an output layer of %s"
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

  /** Adds what was found in a block to its splits, in order; returns the number of rows. */
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
