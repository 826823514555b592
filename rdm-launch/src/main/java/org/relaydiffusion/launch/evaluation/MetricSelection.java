// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.launch.command.Candidates;
import org.relaydiffusion.launch.command.Section;
import org.relaydiffusion.launch.command.ThreadCounts;
import org.relaydiffusion.metrics.InceptionScore;
import org.relaydiffusion.metrics.SpatialOrder;
import picocli.CommandLine.Option;

/** The files to compare, and the metrics. */
final class MetricSelection implements Section {
  @Option(
      names = {"-m", "--metrics"},
      paramLabel = "fid|sfid|is|pr",
      split = ",",
      completionCandidates = Candidates.Metrics.class,
      description =
          "Metrics to compute, repeated or separated by commas: fid, sfid, is (Inception Score), pr"
              + " (precision and recall). Default: ${DEFAULT-VALUE}.",
      defaultValue = "fid")
  List<Metric> metrics = List.of();

  @Option(
      names = "--activations_sample",
      paramLabel = "FILE",
      required = true,
      description =
          "The samples: an .npz with feat and s_feat, as written by 'rdm evaluate activations', or"
              + " with moments only, which are sufficient for fid and sfid.")
  Path sample = Path.of("");

  @Option(
      names = "--activations_ref",
      paramLabel = "FILE",
      description =
          "The reference set: a file of the same kind. Required by all metrics except is."
              + " Default: none.")
  @Nullable Path reference;

  @Option(
      names = "--k",
      paramLabel = "N",
      description =
          "The k of the k-th nearest neighbour in precision and recall, at least 1. Default:"
              + " ${DEFAULT-VALUE}.",
      defaultValue = "3")
  int neighbours;

  @Option(
      names = "--split-size",
      paramLabel = "N",
      description =
          "Number of images in a split of the Inception Score, at least 1. Default:"
              + " ${DEFAULT-VALUE}.",
      defaultValue = "5000")
  int splitSize;

  @Option(
      names = "--is-bias",
      paramLabel = "with|adm",
      completionCandidates = Candidates.Biases.class,
      description =
          "Whether the logits of the Inception Score include the bias of the output layer, as in"
              + " the"
              + " reference, or not, as in ADM's evaluation. Default: ${DEFAULT-VALUE}.",
      defaultValue = "with")
  Bias bias = Bias.WITH;

  @Option(
      names = "--spatial-order",
      paramLabel = "channels|positions",
      completionCandidates = Candidates.SpatialOrders.class,
      description =
          "Order of the spatial features of an image in both files: by channel, as in the"
              + " reference, or"
              + " by position, as in ADM's. Default: according to the array names (mu_s is ADM's).")
  @Nullable Order order;

  @Option(
      names = "--inception",
      paramLabel = "FILE",
      description =
          "Weights of Inception-v3, required by is only. Default: RDM_INCEPTION if set, otherwise"
              + " the"
              + " file written by 'rdm convert --inception'.")
  @Nullable Path inception;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description =
          "Number of threads, 1 to 1024; does not affect the result. 0 uses LibTorch's"
              + " default. Default: ${DEFAULT-VALUE}.",
      defaultValue = "0")
  int threads;

  /** The values of {@code --is-bias}. */
  enum Bias {
    /** With bias, as in the reference. */
    WITH(InceptionScore.Bias.WITH),
    /** Without bias, as in ADM's evaluation. */
    ADM(InceptionScore.Bias.NONE);

    private final InceptionScore.Bias bias;

    Bias(InceptionScore.Bias bias) {
      this.bias = bias;
    }
  }

  /** The values of {@code --spatial-order}. */
  enum Order {
    /** By channel, as in the reference. */
    CHANNELS(SpatialOrder.CHANNELS_FIRST),
    /** By position, as in ADM's files. */
    POSITIONS(SpatialOrder.POSITIONS_FIRST);

    private final SpatialOrder order;

    Order(SpatialOrder order) {
      this.order = order;
    }
  }

  @Override
  public String heading() {
    return "Metrics";
  }

  /**
   * Returns the validated request.
   *
   * @throws OptionException naming the option that is missing or out of range
   */
  EvaluationJob job() {
    if (splitSize < 1) {
      throw new OptionException("--split-size must be at least 1, but is " + splitSize);
    }
    return new EvaluationJob(
        sample,
        Optional.ofNullable(reference),
        metrics,
        neighbours,
        new InceptionScore.Options(splitSize, bias.bias),
        Optional.ofNullable(order).map(o -> o.order),
        ThreadCounts.orChosen(threads));
  }
}
