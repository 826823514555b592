// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.metrics.Activations;
import org.relaydiffusion.metrics.WorkOptions;
import org.relaydiffusion.metrics.report.EvaluationReport.Figure;
import org.relaydiffusion.metrics.report.EvaluationReport.Neighbour;
import org.relaydiffusion.metrics.report.EvaluationReport.NeighbourRow;
import org.relaydiffusion.metrics.report.EvaluationReport.Picture;
import org.relaydiffusion.metrics.report.EvaluationReport.Sheet;
import org.relaydiffusion.torch.Tensor;
import org.relaydiffusion.torch.Torch;
import org.relaydiffusion.torch.testing.NoLiveTensors;
import org.w3c.dom.Document;

@ExtendWith(NoLiveTensors.class)
class EvaluationReportTest {
  private static final Pixels RED = new Pixels(1, 1, 3, new byte[] {(byte) 255, 0, 0});
  private static final Pixels BLUE = new Pixels(1, 1, 3, new byte[] {0, 0, (byte) 255});

  @TempDir private Path folder;

  private static EvaluationReport full() {
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("samples", "a & b.npz");
    return new EvaluationReport(
        "<script>alert(1)</script>",
        List.of(new Figure("FID", "3.15", "lower is better")),
        List.of("fewer images than \"dimensions\""),
        facts,
        Map.of("seeds", "0-63"),
        Optional.of(new Sheet(RED, "64 samples")),
        List.of(
            new NeighbourRow(
                new Picture("000012.png", Optional.of(RED)),
                List.of(
                    new Neighbour(new Picture("r/7.png", Optional.of(BLUE)), 12.3456),
                    new Neighbour(new Picture("r/9.png", Optional.empty()), 13)))),
        Optional.of(new NormHistogram(10, 20, new double[] {0.25, 0.75}, new double[] {0.5, 0.5})));
  }

  /** XML's rules are stricter than HTML's but for the elements that stand alone. */
  private static Document parsed(String html) throws Exception {
    String xml = html.replace("<!doctype html>", "").replaceAll("<(meta|img)([^>]*)>", "<$1$2/>");
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void everyPartStandsInAWellFormedPage() throws Exception {
    Document page = parsed(full().html());

    assertThat(page.getElementsByTagName("h1").item(0).getTextContent())
        .isEqualTo("<script>alert(1)</script>");
    assertThat(page.getElementsByTagName("script").getLength()).isZero();
    assertThat(page.getElementsByTagName("li").item(0).getTextContent())
        .contains("FID", "3.15", "lower is better");
    assertThat(page.getElementsByTagName("td").item(0).getTextContent()).isEqualTo("a & b.npz");
    assertThat(page.getElementsByTagName("td").item(1).getTextContent()).isEqualTo("0-63");
    assertThat(page.getDocumentElement().getTextContent())
        .contains(
            "fewer images than \"dimensions\"", "64 samples", "000012.png", "r/7.png · 12.346")
        .contains("r/9.png · 13.000", "no image");
    assertThat(page.getElementsByTagName("path").getLength()).isEqualTo(2);
  }

  @Test
  void nothingIsFetched() {
    assertThat(full().html()).doesNotContain("http:", "https:", "url(", "@import", "<link");
  }

  @Test
  void picturesAreInThePageToTheBit() {
    Pattern image = Pattern.compile("src=\"data:image/png;base64,([^\"]+)\"");

    List<byte[]> files =
        image
            .matcher(full().html())
            .results()
            .map((MatchResult r) -> Base64.getDecoder().decode(r.group(1)))
            .toList();

    assertThat(files)
        .extracting(bytes -> PictureReader.decode(bytes, Path.of("page")))
        .containsExactly(RED, RED, BLUE);
  }

  @Test
  void partsThatAreNotKnownAreLeftOut() throws Exception {
    EvaluationReport bare =
        new EvaluationReport(
            "bare",
            List.of(),
            List.of(),
            Map.of(),
            Map.of(),
            Optional.empty(),
            List.of(),
            Optional.empty());

    Document page = parsed(bare.html());

    assertThat(page.getElementsByTagName("h2").getLength()).isZero();
    assertThat(page.getElementsByTagName("svg").getLength()).isZero();
  }

  @Test
  void thePageAppearsWholeOrNotAtAll() throws Exception {
    Path file = folder.resolve("new/report.html");
    full().write(file);

    assertThat(Files.readString(file)).isEqualTo(full().html());
    assertThat(file.getParent()).isDirectoryContaining("glob:**/report.html");
    assertThatThrownBy(() -> full().write(file.resolve("below.html")))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("below.html: cannot be written");
  }

  @Test
  void normsAreCountedInBinsOfEqualWidth() {
    // Norms 5, 10, 15 and 5, 5.
    try (Tensor a = Torch.tensor(new double[] {3, 4, 6, 8, 9, 12}, 3, 2);
        Tensor b = Torch.tensor(new float[] {4, 3, 0, 5}, 2, 2)) {
      NormHistogram histogram =
          NormHistogram.of(
              Activations.of("a", a), Activations.of("b", b), 4, WorkOptions.defaults());

      assertThat(histogram.low()).isEqualTo(5);
      assertThat(histogram.high()).isEqualTo(15);
      assertThat(histogram.edge(1)).isEqualTo(7.5);
      assertThat(histogram.sample()).containsExactly(1 / 3.0, 0, 1 / 3.0, 1 / 3.0);
      assertThat(histogram.reference()).containsExactly(1, 0, 0, 0);
    }
  }

  @Test
  void equalNormsHaveABinOfTheirOwn() {
    try (Tensor a = Torch.tensor(new double[] {3, 4}, 1, 2)) {
      NormHistogram histogram =
          NormHistogram.of(
              Activations.of("a", a), Activations.of("a", a), 2, WorkOptions.defaults());

      assertThat(histogram.low()).isEqualTo(4.5);
      assertThat(histogram.high()).isEqualTo(5.5);
      assertThat(histogram.sample()).containsExactly(0, 1);
    }
  }

  @Test
  void normsThatAreNotFiniteAreNamed() {
    try (Tensor a = Torch.tensor(new double[] {3, 4, Double.NaN, 1}, 2, 2)) {
      assertThatThrownBy(() ->
              NormHistogram.of(
                  Activations.of("a.npz", a), Activations.of("b", a), 2, WorkOptions.defaults()))
          .isInstanceOf(RdmException.class)
          .hasMessage("a.npz: the activations of image 1 are not finite");
    }
  }
}
