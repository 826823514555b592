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

/** Which files are compared, and by which metrics. */
final class MetricSelection implements Section {
  @Option(
      names = {"-m", "--metrics"},
      paramLabel = "fid|sfid|is|pr",
      split = ",",
      completionCandidates = Candidates.Metrics.class,
      description =
          "What to compute, an option for each or with commas: fid, sfid, is (inception score), pr"
              + " (precision and recall). Default: ${DEFAULT-VALUE}.",
      defaultValue = "fid")
  List<Metric> metrics = List.of();

  @Option(
      names = "--activations_sample",
      paramLabel = "FILE",
      required = true,
      description =
          "The samples: an .npz with feat and s_feat, as 'rdm evaluate activations' writes it, or"
              + " with moments only, which are enough for fid and sfid.")
  Path sample = Path.of("");

  @Option(
      names = "--activations_ref",
      paramLabel = "FILE",
      description =
          "What they are compared with: such a file of the reference set. Only is does without."
              + " Default: none.")
  @Nullable Path reference;

  @Option(
      names = "--k",
      paramLabel = "N",
      description =
          "Which neighbour precision and recall reach to, at least 1. Default: ${DEFAULT-VALUE}.",
      defaultValue = "3")
  int neighbours;

  @Option(
      names = "--split-size",
      paramLabel = "N",
      description =
          "Images that the inception score takes at a time, at least 1. Default: ${DEFAULT-VALUE}.",
      defaultValue = "5000")
  int splitSize;

  @Option(
      names = "--is-bias",
      paramLabel = "with|adm",
      completionCandidates = Candidates.Biases.class,
      description =
          "Whether the inception score's logits have the output layer's bias, as the reference"
              + " has it, or not, as ADM's evaluation. Default: ${DEFAULT-VALUE}.",
      defaultValue = "with")
  Bias bias = Bias.WITH;

  @Option(
      names = "--spatial-order",
      paramLabel = "channels|positions",
      completionCandidates = Candidates.SpatialOrders.class,
      description =
          "How both files have the spatial features of an image: by channel, as the reference, or"
              + " by position, as ADM's. Default: as their arrays' names tell (mu_s is ADM's).")
  @Nullable Order order;

  @Option(
      names = "--inception",
      paramLabel = "FILE",
      description =
          "Inception-v3's weights, which only is needs. Default: those that RDM_INCEPTION names, or"
              + " that 'rdm convert --inception' made.")
  @Nullable Path inception;

  @Option(
      names = "--threads",
      paramLabel = "N",
      description =
          "Threads that share the work, 1 to 1024; the result does not depend on it. 0 is as many"
              + " as LibTorch takes. Default: ${DEFAULT-VALUE}.",
      defaultValue = "0")
  int threads;

  /** The words of {@code --is-bias}. */
  enum Bias {
    /** As the reference. */
    WITH(InceptionScore.Bias.WITH),
    /** As ADM's evaluation. */
    ADM(InceptionScore.Bias.NONE);

    private final InceptionScore.Bias bias;

    Bias(InceptionScore.Bias bias) {
      this.bias = bias;
    }
  }

  /** The words of {@code --spatial-order}. */
  enum Order {
    /** As the reference. */
    CHANNELS(SpatialOrder.CHANNELS_FIRST),
    /** As ADM's files. */
    POSITIONS(SpatialOrder.POSITIONS_FIRST);

    private final SpatialOrder order;

    Order(SpatialOrder order) {
      this.order = order;
    }
  }

  @Override
  public String heading() {
    return "What to compute";
  }

  /**
   * All of it, checked.
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
