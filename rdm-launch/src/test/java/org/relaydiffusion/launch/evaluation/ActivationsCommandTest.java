// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.launch.RdmRun;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.metrics.Activations;
import org.relaydiffusion.metrics.ActivationsFile;
import org.relaydiffusion.metrics.Feature;
import org.relaydiffusion.metrics.Moments;
import org.relaydiffusion.metrics.Provenance;
import org.relaydiffusion.metrics.WorkOptions;
import org.relaydiffusion.torch.TensorScope;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class ActivationsCommandTest {
  /** Nine pictures of 64 x 64. */
  private static final Path SET =
      Path.of(System.getProperty("rdm.fixtures")).resolve("dataset/convert/center_crop.zip");

  private static final Map<String, String> ALONE = Map.of();

  @TempDir private Path folder;

  private final TestFeatures features = new TestFeatures();

  private Path target() {
    return folder.resolve("set.npz");
  }

  private RdmRun run(Map<String, String> environment, StopSignal stop, String... more) {
    List<String> line =
        new ArrayList<>(List.of("evaluate", "activations", "--data=" + SET, "--dest=" + target()));
    line.addAll(Arrays.asList(more));
    return RdmRun.evaluating(features, environment, stop, line.toArray(String[]::new));
  }

  private RdmRun run(String... more) {
    return run(ALONE, new StopSignal(), more);
  }

  @Test
  void picturesBecomeAFileOfFeatures() {
    RdmRun run = run("--batch=4", "--inception=net.safetensors", "--threads=1");

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.err())
        .isEqualToIgnoringNewLines(
            "rdm evaluate activations: %s -> %s, activations, batch 4, cpu, fast"
                .formatted(SET, target()));
    assertThat(run.out().lines())
        .satisfiesExactly(
            first ->
                assertThat(first)
                    .matches(
                        ".*set\\.npz: activations of 9 images, 6 and 4 dimensions, [0-9.]+s,"
                            + " [0-9.]+ images/s"),
            second ->
                assertThat(second).isEqualTo("Inception weights: SHA-256 " + TestFeatures.SHA256));
    assertThat(features.opened).containsExactly("net.safetensors cpu FAST");
    assertThat(features.closed).isEqualTo(1);
    assertThat(folder).isDirectoryNotContaining(file -> !file.equals(target()));
    byte[] first = PictureReader.decode(pictureBytes(), SET).planes();
    try (TensorScope _ = TensorScope.open();
        ActivationsFile file = ActivationsFile.open(target());
        Activations.Reader rows = file.activations(Feature.POOL, "this").open()) {
      double[] row = rows.read(1).toDoubles();
      for (int i = 0; i < row.length; i++) {
        assertThat(row[i]).isEqualTo(first[i] & 0xff);
      }
    }
  }

  private static byte[] pictureBytes() {
    try (var zip = new ZipFile(SET.toFile())) {
      String name =
          zip.stream()
              .map(ZipEntry::getName)
              .filter(n -> n.endsWith(".png"))
              .sorted()
              .findFirst()
              .orElseThrow();
      return zip.getInputStream(zip.getEntry(name)).readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void momentsAndTheSummaryAsJson() {
    RdmRun run = run("--moments", "--max_images=5", "--numerics=exact", "--quiet", "--json");

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.err()).isEmpty();
    JsonNode json = JsonMapper.shared().readTree(run.out());
    assertThat(json.path("command").asString()).isEqualTo("evaluate activations");
    assertThat(json.path("content").asString()).isEqualTo("moments");
    assertThat(json.path("images").intValue()).isEqualTo(5);
    assertThat(json.path("dimensions").intValue()).isEqualTo(6);
    assertThat(json.path("spatial_dimensions").intValue()).isEqualTo(4);
    assertThat(json.path("inception_sha256").asString()).isEqualTo(TestFeatures.SHA256);
    assertThat(json.path("numerics").asString()).isEqualTo("exact");
    assertThat(json.path("seconds").doubleValue()).isPositive();
    assertThat(json.path("images_per_second").doubleValue()).isPositive();
    try (ActivationsFile file = ActivationsFile.open(target());
        Moments moments = file.moments(Feature.SPATIAL, "sFID", WorkOptions.defaults())) {
      assertThat(moments.count()).hasValue(5);
      assertThat(moments.dimensions()).isEqualTo(4);
    }
  }

  @Test
  void theFirstOfSeveralProcessesWritesTheFileAndSpeaks() throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
      List<Future<RdmRun>> runs = new ArrayList<>();
      for (String rank : List.of("0", "1")) {
        Map<String, String> environment = Map.of("RANK", rank, "WORLD_SIZE", "2");
        runs.add(threads.submit(() -> run(environment, new StopSignal())));
      }
      RdmRun first = runs.getFirst().get();
      RdmRun second = runs.getLast().get();
      assertThat(first.code()).as(first.err()).isZero();
      assertThat(first.err()).contains(", 2 processes (torchrun)");
      assertThat(first.out()).contains("activations of 9 images");
      assertThat(second).isEqualTo(new RdmRun(0, "", ""));
    }
    assertThat(target()).exists();
  }

  @Test
  void aStoppedRunSaysThatTheSameCommandGoesOn() {
    StopSignal stop = new StopSignal();
    features.stop = Optional.of(stop);

    RdmRun run = run(ALONE, stop, "--batch=2");

    assertThat(run.code()).isEqualTo(130);
    assertThat(run.err())
        .endsWith(
            ("rdm: stopped with the features of 0 of 9 images saved beside %s;"
                    + " run the same command again to resume%n")
                .formatted(target()));
    assertThat(run.out()).isEmpty();
    assertThat(target()).doesNotExist();
    assertThat(features.closed).isEqualTo(1);
  }

  @Test
  void partsOfOtherInputsNeedFresh() throws IOException {
    Path parts = Files.createDirectory(folder.resolve(".set.npz.parts"));
    Files.writeString(parts.resolve("description.txt"), "something else");

    RdmRun refused = run("--quiet");

    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err().lines())
        .singleElement()
        .asString()
        .startsWith("rdm: %s: %s contains parts of other inputs (".formatted(target(), parts))
        .endsWith("): choose another --dest, or discard them with --fresh");
    assertThat(run("--fresh").code()).isZero();
    assertThat(parts).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--batch=0         | --batch must be at least 1, but is 0",
        "--subset-seed=1   | --subset-seed requires --max-images, the size of the subset",
        "--max-images=0    | --max-images must be at least 1, but is 0",
        "--workers=0       | --workers must be 1 to 1024, but is 0",
        "--workers=1025    | --workers must be 1 to 1024, but is 1025",
        "--threads=-1      | --threads must be 0 to 1024, but is -1",
        "--threads=1025    | --threads must be 0 to 1024, but is 1025",
        "--device=tpu      | --device must be auto, cpu, cuda or cuda:N, but is 'tpu'",
        "--numerics=both   | Invalid value for option '--numerics': expected one of [exact, fast]",
      })
  void mistakesAreNamedBeforeTheNetworkIsLoaded(String option, String message) {
    RdmRun run = run(option);

    assertThat(run.code()).isEqualTo(2);
    assertThat(run.error()).startsWith("rdm: " + message);
    assertThat(run.err().lines().toList().getLast())
        .isEqualTo("rdm: see 'rdm evaluate activations --help'");
    assertThat(features.opened).isEmpty();
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void aSubsetIsDrawnByItsSeed() throws IOException {
    assertThat(run("--max-images=4", "--subset-seed=-1").error())
        .startsWith("rdm: --subset-seed must be 0 to 2147483647, but is -1");

    RdmRun run = run("--max-images=4", "--subset-seed=2");

    assertThat(run.code()).as(run.err()).isZero();
    try (ActivationsFile file = ActivationsFile.open(target())) {
      assertThat(file.count()).hasValue(4);
      assertThat(file.drawn()).contains(new Provenance.Drawn(4, 9, 2));
    }
  }

  @Test
  void samplesOfAdmAreRead() {
    Path samples = Path.of(System.getProperty("rdm.fixtures")).resolve("npy/adm_samples.npz");

    RdmRun run = run("--data=" + samples, "--json");

    assertThat(run.code()).as(run.err()).isZero();
    try (ActivationsFile file = ActivationsFile.open(target())) {
      assertThat(file.count()).hasValue(5);
    }
  }

  @Test
  void whatIsMissingOrUnknownIsNamed() {
    RdmRun missing = RdmRun.of("evaluate", "activations");
    assertThat(missing.code()).isEqualTo(2);
    assertThat(missing.error()).contains("--data").contains("--dest");
    RdmRun unknown = RdmRun.of("evaluate", "activation");
    assertThat(unknown.code()).isEqualTo(2);
    assertThat(unknown.error()).startsWith("rdm: unknown command 'activation'");
  }

  @Test
  void allPicturesAreLookedAtFirstAndBadOnesCanBeLeftOut() throws IOException {
    Path data = Files.createDirectory(folder.resolve("data"));
    for (int i = 0; i < 4; i++) {
      Files.write(data.resolve(i + ".png"), pictureBytes());
    }
    Files.write(data.resolve("1.png"), Arrays.copyOf(pictureBytes(), 200));
    Files.write(data.resolve("._0.png"), new byte[10]);

    RdmRun fails = run("--data=" + data);
    assertThat(fails.code()).isEqualTo(1);
    assertThat(fails.error())
        .startsWith("rdm: %s: is truncated".formatted(data.resolve("1.png")))
        .endsWith("(--bad-images=skip skips this image)");
    assertThat(features.opened).isEmpty();

    RdmRun list = run("--data=" + data, "--bad-images=list");
    assertThat(list.code()).isZero();
    assertThat(list.out().lines()).singleElement().asString().contains("1.png: is truncated");
    assertThat(target()).doesNotExist();

    RdmRun skips = run("--data=" + data, "--bad-images=skip", "--max-images=3", "--json");
    assertThat(skips.code()).as(skips.err()).isZero();
    assertThat(skips.err()).contains(data + ": skipped: 1 file of macOS (._*, __MACOSX)");
    JsonNode json = JsonMapper.shared().readTree(skips.out());
    assertThat(json.path("images").intValue()).isEqualTo(3);
    assertThat(json.path("bad_images").intValue()).isEqualTo(1);
  }

  @Test
  void badDataIsOneLineAndLeavesNothing() throws IOException {
    Path empty = Files.createDirectory(folder.resolve("empty"));

    RdmRun run = run("--data=" + empty, "--quiet");

    assertThat(run.code()).isEqualTo(1);
    assertThat(run.err()).isEqualToIgnoringNewLines("rdm: " + empty + ": contains no images");
    assertThat(folder).isDirectoryNotContaining(file -> !file.equals(empty));
  }
}
