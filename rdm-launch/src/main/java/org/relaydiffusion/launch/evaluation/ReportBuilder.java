// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.Cancellation;
import org.relaydiffusion.diffusion.image.ContactSheet;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.random.Seeds;
import org.relaydiffusion.metrics.Activations;
import org.relaydiffusion.metrics.Feature;
import org.relaydiffusion.metrics.InceptionScore;
import org.relaydiffusion.metrics.NearestNeighbours;
import org.relaydiffusion.metrics.WorkOptions;
import org.relaydiffusion.metrics.report.EvaluationReport;
import org.relaydiffusion.metrics.report.EvaluationReport.Figure;
import org.relaydiffusion.metrics.report.EvaluationReport.Neighbour;
import org.relaydiffusion.metrics.report.EvaluationReport.NeighbourRow;
import org.relaydiffusion.metrics.report.EvaluationReport.Sheet;
import org.relaydiffusion.metrics.report.NormHistogram;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Shapes;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.TensorScope;

/** Assembles a report: the values, and the images. */
public final class ReportBuilder {
  private static final int BINS = 60;
  private static final long BLOCK_ROWS = 1024;

  private final PageContent content;
  private final Evaluation evaluation;
  private final EvaluationFiles files;
  private final EvaluationRun run;

  /**
   * Creates a builder.
   *
   * @param content the requested parts
   * @param evaluation the values
   * @param files the input of the values; remain owned by the caller
   * @param run the run that computed the values
   */
  public ReportBuilder(
      PageContent content, Evaluation evaluation, EvaluationFiles files, EvaluationRun run) {
    this.content = content;
    this.evaluation = evaluation;
    this.files = files;
    this.run = run;
  }

  /**
   * Rejects inputs from which the report cannot be built, before hours are spent on the values.
   *
   * @param content the requested parts
   * @param job the evaluation
   * @param files its files
   * @throws org.relaydiffusion.FileException if images or options cannot be read, or do not match
   * @throws OptionException if images of a reference set are given without the set
   */
  public static void check(PageContent content, EvaluationJob job, EvaluationFiles files) {
    if (content.reference().isPresent() && job.reference().isEmpty()) {
      throw new OptionException("--data_ref requires --activations_ref");
    }
    SamplingOptionsFile.find(content).ifPresent(SamplingOptionsFile::read);
    PictureSet.open(content.samples(), files.samples()).close();
    if (content.reference().isPresent()) {
      PictureSet.open(content.reference(), files.reference()).close();
    }
  }

  /**
   * Builds the report.
   *
   * @throws org.relaydiffusion.FileException if images, options or activations cannot be read
   */
  public EvaluationReport build() {
    boolean both =
        evaluation.reference().isPresent()
            && files.samples().hasActivations(Feature.POOL)
            && files.reference().hasActivations(Feature.POOL);
    Map<String, String> options =
        SamplingOptionsFile.find(content).map(SamplingOptionsFile::read).orElse(Map.of());
    List<String> warnings = new ArrayList<>(evaluation.warnings());
    if (!both) {
      warnings.add(
          "Nearest neighbours and norms are omitted, because they require the activations of both"
              + " sets.");
    }
    otherCount(options).ifPresent(warnings::add);
    try (PictureSet samples = PictureSet.open(content.samples(), files.samples())) {
      return new EvaluationReport(
          content.title().orElseGet(() -> evaluation.samples().file().getFileName().toString()),
          figures(),
          warnings,
          facts(),
          options,
          sheet(samples),
          both && content.rows() > 0 ? neighbours(samples) : List.of(),
          both ? Optional.of(histogram()) : Optional.empty());
    }
  }

  /**
   * Returns a warning if the options are of a different number of images, for example of several
   * runs.
   */
  private Optional<String> otherCount(Map<String, String> options) {
    String seeds = options.get("seeds");
    if (seeds == null || evaluation.samples().images().isEmpty()) {
      return Optional.empty();
    }
    long images = evaluation.samples().images().getAsLong();
    try {
      long named = Seeds.parse(seeds).size();
      return named == images
          ? Optional.empty()
          : Optional.of(
              String.format(
                  Locale.ROOT,
                  "The options of the samples have %,d seeds, but there are %,d images.",
                  named,
                  images));
    } catch (OptionException e) {
      return Optional.of("The options of the samples have no list of seeds: " + seeds);
    }
  }

  private List<Figure> figures() {
    return MetricFigures.of(evaluation).stream()
        .map(row -> new Figure(row.name(), row.text(), row.meaning()))
        .toList();
  }

  private Map<String, String> facts() {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("Samples", text(evaluation.samples()));
    evaluation.reference().ifPresent(set -> facts.put("Reference set", text(set)));
    evaluation
        .precisionRecall()
        .ifPresent(found -> facts.put("Neighbours (k)", Integer.toString(found.k())));
    evaluation
        .inceptionScore()
        .ifPresent(score ->
            facts.put(
                "Inception Score",
                "%s splits of %s, %s the output layer's bias"
                    .formatted(
                        score.scores().size(),
                        run.job().score().splitSize(),
                        run.job().score().bias() == InceptionScore.Bias.WITH
                            ? "with"
                            : "without")));
    run.job().spatialOrder().ifPresent(order -> facts.put("Spatial features", "read as " + order));
    facts.put("Inception weights", String.join("; ", evaluation.weights()));
    return facts;
  }

  private static String text(Evaluation.Compared set) {
    return set.images().isPresent()
        ? String.format(Locale.ROOT, "%s, %,d images", set.file(), set.images().getAsLong())
        : set.file().toString();
  }

  private Optional<Sheet> sheet(PictureSet samples) {
    List<Pixels> first = samples.first(content.sheet());
    return first.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Sheet(
                ContactSheet.nearSquare(first.size()).of(first),
                "The first %s samples".formatted(first.size())));
  }

  private List<NeighbourRow> neighbours(PictureSet samples) {
    Activations queries = files.samples().activations(Feature.POOL, "nearest neighbours");
    Activations reference = files.reference().activations(Feature.POOL, "nearest neighbours");
    List<Long> chosen = spread(queries.count(), content.rows());
    int nearest = (int) Math.min(content.nearest(), reference.count());
    try (PictureSet pictures = PictureSet.open(content.reference(), files.reference());
        TensorScope _ = TensorScope.open()) {
      WorkOptions work = run.work("nearest neighbours");
      Activations rows = Activations.of(queries.name(), rows(queries, chosen, work.cancellation()));
      List<List<NearestNeighbours.Neighbour>> found =
          NearestNeighbours.of(rows, reference, nearest, work);
      List<NeighbourRow> all = new ArrayList<>();
      for (int i = 0; i < chosen.size(); i++) {
        all.add(
            new NeighbourRow(
                samples.picture(chosen.get(i)),
                found.get(i).stream()
                    .map(n -> new Neighbour(pictures.picture(n.row()), n.distance()))
                    .toList()));
      }
      return all;
    }
  }

  /**
   * Returns the indices of {@code wanted} rows out of {@code count}, at equal intervals, starting
   * with the first.
   */
  private static List<Long> spread(long count, int wanted) {
    long taken = Math.min(count, wanted);
    List<Long> chosen = new ArrayList<>();
    for (long i = 0; i < taken; i++) {
      chosen.add(i * count / taken);
    }
    return chosen;
  }

  /** Returns some rows, float64 [n, D], read in one pass. */
  private static Tensor rows(
      Activations activations, List<Long> chosen, Cancellation cancellation) {
    List<Tensor> rows = new ArrayList<>();
    try (TensorScope scope = TensorScope.open();
        Activations.Reader reader = activations.open()) {
      long start = 0;
      while (rows.size() < chosen.size()) {
        cancellation.check();
        try (TensorScope inner = TensorScope.open()) {
          Tensor block = reader.read(BLOCK_ROWS);
          long end = start + block.size(0);
          while (rows.size() < chosen.size() && chosen.get(rows.size()) < end) {
            Tensor row = Shapes.narrow(block, 0, chosen.get(rows.size()) - start, 1);
            rows.add(inner.keep(Shapes.copy(row.to(DType.FLOAT64))));
          }
          start = end;
        }
      }
      return scope.keep(Shapes.cat(rows, 0));
    }
  }

  private NormHistogram histogram() {
    return NormHistogram.of(
        files.samples().activations(Feature.POOL, "norms"),
        files.reference().activations(Feature.POOL, "norms"),
        BINS,
        run.work("norms"));
  }
}
