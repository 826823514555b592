// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.report;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import org.relaydiffusion.metrics.report.EvaluationReport.Figure;
import org.relaydiffusion.metrics.report.EvaluationReport.Neighbour;
import org.relaydiffusion.metrics.report.EvaluationReport.NeighbourRow;
import org.relaydiffusion.metrics.report.EvaluationReport.Picture;

/** Renders an {@link EvaluationReport} as a page, section by section. */
final class ReportPage {
  /** The beginning of every page. */
  static final String DOCTYPE = "<!doctype html>";

  private static final String STYLE = "report.css";

  private final EvaluationReport report;
  private final StringBuilder page = new StringBuilder();

  ReportPage(EvaluationReport report) {
    this.report = report;
  }

  /** Returns the page. */
  String html() {
    String title = Html.text(report.title());
    page.append(
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>%s</title>
        <style>
        %s</style>
        </head>
        <body>
        <main>
        <h1>%s</h1>
        """
            .formatted(title, style(), title));
    figures();
    warnings();
    table("Compared sets", report.facts());
    report.sheet().ifPresent(this::sheet);
    neighbours();
    report.histogram().ifPresent(this::histogram);
    table("Options of the samples", report.options());
    page.append("</main>\n</body>\n</html>\n");
    return page.toString();
  }

  private void figures() {
    page.append("<ul class=\"figures\">\n");
    for (Figure figure : report.figures()) {
      page.append(
          "<li><span class=\"name\">%s</span><span class=\"value\">%s</span>%s</li>%n"
              .formatted(
                  Html.text(figure.name()),
                  Html.text(figure.value()),
                  Html.text(figure.meaning())));
    }
    page.append("</ul>\n");
  }

  private void warnings() {
    for (String warning : report.warnings()) {
      page.append("<p class=\"warning\">%s</p>%n".formatted(Html.text(warning)));
    }
  }

  private void table(String heading, Map<String, String> rows) {
    if (rows.isEmpty()) {
      return;
    }
    heading(heading);
    page.append("<table>\n");
    rows.forEach((name, value) ->
        page.append(
            "<tr><th scope=\"row\">%s</th><td>%s</td></tr>%n"
                .formatted(Html.text(name), Html.text(value))));
    page.append("</table>\n");
  }

  private void sheet(EvaluationReport.Sheet sheet) {
    heading("Samples");
    page.append(
        "<figure>%s<figcaption>%s</figcaption></figure>%n"
            .formatted(Html.image(sheet.pixels(), sheet.caption()), Html.text(sheet.caption())));
  }

  private void neighbours() {
    if (report.neighbours().isEmpty()) {
      return;
    }
    heading("Nearest neighbours in the reference set");
    page.append(
        """
        <p>Each row begins with a sample, followed by its nearest neighbours in the reference set by \
        features, with their distances. This reveals samples that reproduce training images.</p>
        <div class="rows">
        """);
    for (NeighbourRow row : report.neighbours()) {
      page.append("<div class=\"row\">\n");
      picture(row.sample(), "a sample", "");
      for (Neighbour neighbour : row.nearest()) {
        picture(
            neighbour.picture(),
            "of the reference set",
            String.format(Locale.ROOT, " · %.3f", neighbour.distance()));
      }
      page.append("</div>\n");
    }
    page.append("</div>\n");
  }

  private void picture(Picture picture, String what, String note) {
    String label = Html.text(picture.label() + note);
    String image =
        picture
            .pixels()
            .map(pixels -> Html.image(pixels, "%s, %s".formatted(picture.label(), what)))
            .orElse("<span class=\"nothing\">no image</span>");
    page.append("<figure>%s<figcaption>%s</figcaption></figure>%n".formatted(image, label));
  }

  private void histogram(NormHistogram histogram) {
    heading("Norms of the features");
    page.append(
        """
        <p class="legend"><span class="sample">samples</span> \
        <span class="reference">reference set</span></p>
        """);
    page.append(new HistogramSvg(histogram).svg());
  }

  private void heading(String text) {
    page.append("<h2>%s</h2>%n".formatted(text));
  }

  private static String style() {
    try (InputStream in = ReportPage.class.getResourceAsStream(STYLE)) {
      if (in == null) {
        throw new IllegalStateException(STYLE + " is missing beside " + ReportPage.class);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
