// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.metrics.Feature;
import org.relaydiffusion.metrics.FrechetDistance;
import org.relaydiffusion.metrics.InceptionScore;
import org.relaydiffusion.metrics.Metrics;
import org.relaydiffusion.metrics.PrecisionRecall;
import org.relaydiffusion.metrics.WorkOptions;
import org.relaydiffusion.metrics.inception.OutputLayer;

/** Computes the metrics of an {@link EvaluationJob} from open files. */
public final class EvaluationRun {
  private final EvaluationJob job;
  private final EvaluationFiles files;
  private final EvaluationListener listener;
  private final Cancellation cancellation;

  /** Receives progress. */
  @FunctionalInterface
  public interface EvaluationListener {
    /**
     * Called when part of the work for a metric is done.
     *
     * @param what the metric, such as {@code FID}
     * @param done completed work, in arbitrary units; starts again for each part of a metric
     * @param total total work, in the same units
     */
    void advanced(String what, long done, long total);
  }

  /**
   * Creates a run without starting it.
   *
   * @param job what to compute
   * @param files the input; remain owned by the caller
   * @param listener receives progress
   * @param cancellation ends the run early
   */
  public EvaluationRun(
      EvaluationJob job,
      EvaluationFiles files,
      EvaluationListener listener,
      Cancellation cancellation) {
    this.job = job;
    this.files = files;
    this.listener = listener;
    this.cancellation = cancellation;
  }

  /** Returns the request. */
  EvaluationJob job() {
    return job;
  }

  /**
   * Rejects files that lack something that one of the metrics requires, before hours are spent on
   * the others.
   *
   * @throws org.relaydiffusion.RdmException naming the file and what it lacks
   */
  public void check() {
    for (Metric metric : job.metrics()) {
      switch (metric) {
        case FID -> Metrics.requireMoments(files.samples(), files.reference(), Feature.POOL, "FID");
        case SFID ->
            Metrics.requireMoments(files.samples(), files.reference(), Feature.SPATIAL, "sFID");
        case IS -> files.samples().activations(Feature.POOL, "the Inception Score");
        case PR -> Metrics.requireManifolds(files.samples(), files.reference(), job.neighbours());
      }
    }
  }

  /**
   * Computes the metrics one by one.
   *
   * @param output the last layer of the network, required by the Inception Score
   * @throws org.relaydiffusion.RdmException naming the file that lacks something or is damaged
   * @throws org.relaydiffusion.CancelledException if a stop was requested
   */
  public Evaluation run(Optional<OutputLayer> output) {
    Optional<FrechetDistance> fid = Optional.empty();
    Optional<FrechetDistance> sfid = Optional.empty();
    Optional<InceptionScore> score = Optional.empty();
    Optional<PrecisionRecall> manifolds = Optional.empty();
    List<String> warnings = new ArrayList<>();
    for (Metric metric : job.metrics()) {
      WorkOptions work = work(metric.title());
      switch (metric) {
        case FID -> fid = Optional.of(Metrics.fid(files.samples(), files.reference(), work));
        case SFID -> sfid = Optional.of(Metrics.sfid(files.samples(), files.reference(), work));
        case IS ->
            score =
                Optional.of(
                    Metrics.inceptionScore(files.samples(), layer(output), job.score(), work));
        case PR ->
            manifolds =
                Optional.of(
                    Metrics.precisionRecall(
                        files.samples(), files.reference(), job.neighbours(), work));
      }
    }
    otherWeights().ifPresent(warnings::add);
    fid.flatMap(FrechetDistance::warning).ifPresent(w -> warnings.add("FID: " + w));
    sfid.flatMap(FrechetDistance::warning).ifPresent(w -> warnings.add("sFID: " + w));
    return new Evaluation(
        files.described(files.samples()),
        job.reference().map(_ -> files.described(files.reference())),
        fid,
        sfid,
        score,
        manifolds,
        List.copyOf(warnings),
        Optional.empty());
  }

  /**
   * Returns the options for computing a metric or an additional part of a report; {@code what} is
   * passed to the listener.
   */
  WorkOptions work(String what) {
    WorkOptions work =
        WorkOptions.defaults()
            .withListener((done, total) -> listener.advanced(what, done, total))
            .withCancellation(cancellation);
    return job.threads().isPresent() ? work.withThreads(job.threads().getAsInt()) : work;
  }

  /** Returns a warning if the features of the two files are from different networks. */
  private Optional<String> otherWeights() {
    if (job.reference().isEmpty()) {
      return Optional.empty();
    }
    Optional<String> own = files.samples().inceptionSha256();
    Optional<String> other = files.reference().inceptionSha256();
    return own.isEmpty() || other.isEmpty() || own.equals(other)
        ? Optional.empty()
        : Optional.of(
            "%s is from Inception weights %s, but %s from %s: they cannot be compared"
                .formatted(
                    files.samples().path(), own.get(), files.reference().path(), other.get()));
  }

  private static OutputLayer layer(Optional<OutputLayer> output) {
    return output.orElseThrow(
        () -> new OptionException("the Inception Score requires the output layer of the network"));
  }
}
