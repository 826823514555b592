// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.relaydiffusion.metrics.InceptionScore;
import org.relaydiffusion.metrics.PrecisionRecall;

/** The values of an {@link Evaluation} in the order of the paper's table. */
public final class MetricFigures {
  private MetricFigures() {}

  /**
   * One value.
   *
   * @param key its name in JSON
   * @param name its displayed name
   * @param value the value with all digits
   * @param text the formatted value
   * @param note additional information; may be empty
   * @param meaning a short description: what the value measures, and which direction is better
   */
  public record Row(
      String key, String name, double value, String text, String note, String meaning) {}

  /** Returns all values that were computed. */
  public static List<Row> of(Evaluation evaluation) {
    List<Row> rows = new ArrayList<>();
    evaluation
        .fid()
        .ifPresent(fid ->
            rows.add(
                row(
                    "fid",
                    "FID",
                    fid.distance(),
                    "%.4f",
                    "",
                    "of pool features; 0 for equal sets")));
    evaluation
        .sfid()
        .ifPresent(fid ->
            rows.add(
                row(
                    "sfid",
                    "sFID",
                    fid.distance(),
                    "%.4f",
                    "",
                    "of spatial features; 0 for equal sets")));
    evaluation.inceptionScore().ifPresent(score -> rows.add(inceptionScore(score)));
    evaluation.precisionRecall().ifPresent(found -> addParts(rows, found));
    return List.copyOf(rows);
  }

  private static Row inceptionScore(InceptionScore score) {
    String note =
        score.scores().size() == 1
            ? "one split"
            : String.format(
                Locale.ROOT,
                "%.2f between %d splits",
                score.standardDeviation(),
                score.scores().size());
    return row("is", "IS", score.mean(), "%.3f", note, "Inception Score; higher is better");
  }

  private static void addParts(List<Row> rows, PrecisionRecall found) {
    rows.add(
        row(
            "precision",
            "precision",
            found.precision(),
            "%.4f",
            "%s of %s samples".formatted(found.samplesInside(), found.samples()),
            "fraction of samples that resemble the reference set; higher is better"));
    rows.add(
        row(
            "recall",
            "recall",
            found.recall(),
            "%.4f",
            "%s of %s images".formatted(found.referencesInside(), found.references()),
            "fraction of the reference set covered by the samples; higher is better"));
  }

  private static Row row(
      String key, String name, double value, String format, String note, String meaning) {
    return new Row(key, name, value, String.format(Locale.ROOT, format, value), note, meaning);
  }
}
