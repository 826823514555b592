// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.report;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;

/**
 * The results of an evaluation for display: the metrics, the compared sets, the options of the
 * samples, and images. It is written as one self-contained HTML page.
 *
 * @param title of the page
 * @param figures the metrics, the most important first
 * @param warnings caveats about the values, one sentence each
 * @param facts about the compared sets, by name
 * @param options the options and seeds of the samples, by name; empty if unknown
 * @param sheet a contact sheet of samples
 * @param neighbours samples with their nearest neighbours in the reference set
 * @param histogram of the norms of the features
 */
public record EvaluationReport(
    String title,
    List<Figure> figures,
    List<String> warnings,
    Map<String, String> facts,
    Map<String, String> options,
    Optional<Sheet> sheet,
    List<NeighbourRow> neighbours,
    Optional<NormHistogram> histogram) {

  /**
   * One metric.
   *
   * @param name such as {@code FID}
   * @param value as displayed
   * @param meaning a short description: what it measures, and which direction is better
   */
  public record Figure(String name, String value, String meaning) {}

  /**
   * A contact sheet.
   *
   * @param pixels the sheet
   * @param caption its description
   */
  public record Sheet(Pixels pixels, String caption) {}

  /**
   * An image with its name, or only the name if the data set was not given.
   *
   * @param label such as {@code 000000/000012.png}
   * @param pixels the image
   */
  public record Picture(String label, Optional<Pixels> pixels) {}

  /**
   * An image of the reference set.
   *
   * @param picture the image
   * @param distance from the sample, Euclidean, between pool features
   */
  public record Neighbour(Picture picture, double distance) {}

  /**
   * A sample and its nearest neighbours.
   *
   * @param sample the sample
   * @param nearest in the reference set, the nearest first
   */
  public record NeighbourRow(Picture sample, List<Neighbour> nearest) {}

  /** Returns whether a file begins like such a page, or like HTML in general. */
  public static boolean isPage(Path file) {
    byte[] expected = ReportPage.DOCTYPE.getBytes(StandardCharsets.US_ASCII);
    try (InputStream in = InputFile.stream(file)) {
      return new String(in.readNBytes(expected.length), StandardCharsets.ISO_8859_1)
          .equalsIgnoreCase(ReportPage.DOCTYPE);
    } catch (IOException e) {
      throw new FileException(file, "cannot be read: " + AtomicFile.reason(e), e);
    }
  }

  /** Returns the page as text. */
  public String html() {
    return new ReportPage(this).html();
  }

  /**
   * Writes the page atomically.
   *
   * @throws FileException if it cannot be written
   */
  public void write(Path file) {
    ByteBuffer bytes = ByteBuffer.wrap(html().getBytes(StandardCharsets.UTF_8));
    AtomicFile.write(
        file,
        out -> {
          while (bytes.hasRemaining()) {
            out.write(bytes);
          }
        });
  }
}
