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
 * What an evaluation found, to be looked at: the metrics, what was compared, the options behind the
 * samples, and pictures. It becomes one HTML page that needs no other file and no network.
 *
 * @param title of the page
 * @param figures the metrics, the most important first
 * @param warnings what to know before trusting them, a sentence each
 * @param facts what was compared with what, by name
 * @param options the options and seeds behind the samples, by name; empty when they are not known
 * @param sheet a contact sheet of samples
 * @param neighbours samples beside what is nearest to them in the reference set
 * @param histogram of the features' norms
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
   * @param value as it is to be read
   * @param meaning a few words: what it measures, and which way is better
   */
  public record Figure(String name, String value, String meaning) {}

  /**
   * A contact sheet.
   *
   * @param pixels the sheet
   * @param caption what is on it
   */
  public record Sheet(Pixels pixels, String caption) {}

  /**
   * A picture with its name; where the data set was not given, the name alone.
   *
   * @param label such as {@code 000000/000012.png}
   * @param pixels the picture
   */
  public record Picture(String label, Optional<Pixels> pixels) {}

  /**
   * A picture of the reference set.
   *
   * @param picture the picture
   * @param distance from the sample, Euclidean, between pool features
   */
  public record Neighbour(Picture picture, double distance) {}

  /**
   * A sample and what is nearest to it.
   *
   * @param sample the sample
   * @param nearest in the reference set, the nearest first
   */
  public record NeighbourRow(Picture sample, List<Neighbour> nearest) {}

  /** Whether a file begins as such a page does, and as HTML in general. */
  public static boolean isPage(Path file) {
    byte[] expected = ReportPage.DOCTYPE.getBytes(StandardCharsets.US_ASCII);
    try (InputStream in = InputFile.stream(file)) {
      return new String(in.readNBytes(expected.length), StandardCharsets.ISO_8859_1)
          .equalsIgnoreCase(ReportPage.DOCTYPE);
    } catch (IOException e) {
      throw new FileException(file, "cannot be read: " + AtomicFile.reason(e), e);
    }
  }

  /** The page as text. */
  public String html() {
    return new ReportPage(this).html();
  }

  /**
   * Writes the page, whole or not at all.
   *
   * @throws FileException when it cannot be written
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
