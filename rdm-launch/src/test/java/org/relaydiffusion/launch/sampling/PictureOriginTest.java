// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.image.Compression;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.image.PngText;
import org.relaydiffusion.diffusion.image.PngTextEntry;
import org.relaydiffusion.diffusion.image.PngWriter;
import org.relaydiffusion.io.FileSum;
import org.relaydiffusion.launch.RdmRun;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.torch.Device;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The text that images carry, and images that are repeated by it. */
class PictureOriginTest {
  @TempDir private Path folder;

  private Relay relay() {
    return Relay.conditional(folder.resolve("out"));
  }

  private static JsonNode origin(Path picture) {
    return JsonMapper.shared().readTree(PngText.read(picture).get("rdm").orElseThrow());
  }

  private RdmRun like(Path picture, String... more) {
    List<String> line =
        new ArrayList<>(
            List.of(
                "generate",
                "--like=" + picture,
                "--outdir=" + folder.resolve("again"),
                "--threads=1"));
    line.addAll(List.of(more));
    return RdmRun.of(line.toArray(String[]::new));
  }

  private String[] networks(String... more) {
    List<String> line =
        new ArrayList<>(
            List.of("--network_first=" + relay().first(), "--network_second=" + relay().second()));
    line.addAll(List.of(more));
    return line.toArray(String[]::new);
  }

  private Pixels again(String name) {
    return PictureReader.read(folder.resolve("again").resolve(name));
  }

  @Test
  void everyImageTellsItsOrigin() throws IOException {
    Path grid = folder.resolve("grid.png");
    relay()
        .run("--seeds=3-5", "--class=1,3", "--batch=3", "--cfg_scale_second=1.5", "--grid=" + grid);

    Path picture = relay().picture("000000/000004.png");
    JsonNode json = origin(picture);
    assertThat(PngText.read(picture).get("Software").orElseThrow()).matches("rdm \\d+\\.\\S+");
    assertThat(json.get("seed").longValue()).isEqualTo(4);
    assertThat(json.get("class").intValue()).isEqualTo(1);
    assertThat(json.get("batch").intValue()).isEqualTo(3);
    assertThat(json.get("batch_index").intValue()).isEqualTo(1);
    assertThat(json.at("/first/num_steps").intValue()).isEqualTo(2);
    assertThat(json.at("/second/guidance").doubleValue()).isEqualTo(1.5);
    assertThat(json.get("noise").stringValue()).isEqualTo("cpu");
    assertThat(json.get("network_first").stringValue()).isEqualTo("first.pkl");
    assertThat(json.get("network_first_sha256").stringValue())
        .isEqualTo(FileSum.sha256(relay().first()));
    String text = PngText.read(picture).get("rdm").orElseThrow();
    assertThat(text.lines()).hasSize(1);
    assertThat(text).doesNotContain(folder.toString(), relay().fixture().toString(), " ");
    assertThat(origin(grid).get("seeds").stringValue()).isEqualTo("3-5");
    assertThat(like(grid, networks()).error())
        .isEqualTo(
            "rdm: %s: is the contact sheet of seeds 3-5: use one of its images".formatted(grid));
  }

  @Test
  void withoutMetadataAnImageIsItsPixelsAlone() throws IOException {
    relay().run("--seeds=0", "--no-metadata", "--grid=" + folder.resolve("grid.png"));

    Path picture = relay().picture("000000/000000.png");
    for (Path file : List.of(picture, folder.resolve("grid.png"))) {
      assertThat(Files.readAllBytes(file))
          .isEqualTo(PngWriter.encode(PictureReader.read(file), Compression.FAST));
    }
    assertThat(like(picture, networks()).error())
        .isEqualTo(
            "rdm: %s: does not tell its origin: it was not sampled by rdm, or with --no-metadata"
                .formatted(picture));
  }

  /** In a batch of 5 with guidance, where another size of the batch rounds differently. */
  @Test
  void aRepeatedImageHasTheSamePixels() {
    relay()
        .run(
            "--seeds=10-14",
            "--batch=5",
            "--numerics=exact",
            "--noise=cuda:v100",
            "--cfg_scale_first=2",
            "--rho_second=9",
            "--dtype=bfloat16");
    Path picture = relay().picture("000000/000013.png");

    RdmRun run = like(picture, networks("--json", "--quiet"));

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(again("000000/000013.png")).isEqualTo(PictureReader.read(picture));
    assertThat(origin(folder.resolve("again/000000/000013.png"))).isEqualTo(origin(picture));
    JsonNode json = JsonMapper.shared().readTree(run.out());
    assertThat(json.get("images").intValue()).isEqualTo(1);
    assertThat(json.get("numerics").stringValue()).isEqualTo("exact");
    assertThat(json.get("dtype").stringValue()).isEqualTo("bfloat16");
  }

  @Test
  void aRepeatedImageOfAPresetHasItsEnhancement() {
    Relay celebahq = new Relay("generate_celebahq", relay().fixture(), folder.resolve("out"));
    celebahq.run("--seeds=7");

    RdmRun run = like(relay().picture("000000/000007.png"), networks());

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(again("000000/000007.png"))
        .isEqualTo(PictureReader.read(relay().picture("000000/000007.png")));
  }

  @Test
  void whatIsTypedOverrides() {
    relay().run("--seeds=2", "--class=3");

    RdmRun run =
        like(
            relay().picture("000000/000002.png"),
            networks("--seeds=5-6", "--num_steps_first=3", "--json", "--quiet"));

    assertThat(run.code()).as(run.err()).isZero();
    JsonNode json = JsonMapper.shared().readTree(run.out());
    assertThat(json.get("images").intValue()).isEqualTo(2);
    assertThat(json.get("class").intValue()).isEqualTo(3);
    assertThat(json.at("/first/num_steps").intValue()).isEqualTo(3);
    assertThat(json.at("/second/num_steps").intValue()).isEqualTo(8);
    RdmRun alone = like(relay().picture("000000/000002.png"), networks("--batch=1"));
    assertThat(alone.code()).as(alone.err()).isZero();
    assertThat(again("000000/000002.png"))
        .isEqualTo(PictureReader.read(relay().picture("000000/000002.png")));
  }

  @Test
  void networksAreAskedForAndCompared() throws IOException {
    relay().run("--seeds=2");
    Path picture = relay().picture("000000/000002.png");

    RdmRun none = like(picture);
    assertThat(none.code()).isEqualTo(ExitCode.USAGE);
    assertThat(none.error())
        .isEqualTo(
            ("rdm: --like=%s requires the networks of the image: --network_first=first.pkl"
                    + " --network_second=second.pt, or --pipeline")
                .formatted(picture));
    Path other = Relay.unconditional(folder).first();
    RdmRun differs =
        like(picture, "--network_first=" + other, "--network_second=" + relay().second());
    assertThat(differs.code()).isEqualTo(ExitCode.FAILURE);
    assertThat(differs.err())
        .contains(
            "rdm: %s: was sampled with --network_first=first.pkl of SHA-256 %s, but the network"
                    .formatted(picture, FileSum.sha256(relay().first()))
                + " given has "
                + FileSum.sha256(other));
    assertThat(folder.resolve("again/000000")).doesNotExist();
    assertThat(like(picture, "--network_first=" + relay().first()).error())
        .contains("--network_second is missing");
    RdmRun guided =
        like(picture, networks("--guide_second=" + relay().second(), "--cfg_scale_second=2"));
    assertThat(guided.err()).contains("was sampled without --guide_second, but it was given");
  }

  /** The folder knows which checkpoints its networks were converted from. */
  @Test
  void aPipelineOfTheSameCheckpointsRepeatsAnImage() {
    relay().run("--seeds=2");
    Path dest = folder.resolve("pipeline");
    RdmRun packed =
        RdmRun.of(
            "pack",
            "--quiet",
            "--dest=" + dest,
            "--network_first=" + relay().first(),
            "--network_second=" + relay().second());
    assertThat(packed.code()).as(packed.err()).isZero();

    RdmRun run = like(relay().picture("000000/000002.png"), "--pipeline=" + dest);

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(again("000000/000002.png"))
        .isEqualTo(PictureReader.read(relay().picture("000000/000002.png")));
  }

  @Test
  void oneImageIsNotShared() {
    relay().run("--seeds=2");

    RdmRun run =
        RdmRun.in(
            Map.of("RANK", "0", "WORLD_SIZE", "2"),
            "generate",
            "--like=" + relay().picture("000000/000002.png"),
            "--outdir=" + folder.resolve("again"),
            "--network_first=" + relay().first(),
            "--network_second=" + relay().second());

    assertThat(run.error())
        .isEqualTo("rdm: --like repeats one image in one process, but there are 2 processes");
  }

  private Path picture(String text) {
    SequencedMap<String, String> texts = new LinkedHashMap<>();
    texts.put("rdm", text);
    Path file = folder.resolve("hostile.png");
    PngWriter.write(Pixels.black(4, 4, 3), Compression.FAST, PngText.of(texts), file);
    return file;
  }

  private static final String GOOD =
      ("{'version':1,'seed':5,'class':2,'batch':4,'batch_index':1,'command':'generate',"
              + "'sampler_stages':'both','network_first':'a.pkl','network_first_sha256':'"
              + "0".repeat(64)
              + "','first':{'num_steps':4},'second':{'num_steps':9},"
              + "'enhancement':{'contrast':1,'brightness':1,'colour':1},"
              + "'device':'cuda:0','dtype':'auto','numerics':'fast','noise':'cuda',"
              + "'noise_grid':'v100','tf32':true}")
          .replace('\'', '"');

  @Test
  void aCorrectTextIsRead() {
    PictureOrigin read = PictureOrigin.read(picture(GOOD));

    assertThat(read.seed()).isEqualTo(5);
    assertThat(read.label()).hasValue(2);
    assertThat(read.place()).isEqualTo(new BatchPlace(4, 1));
    assertThat(read.stages().get(1).solver().numSteps()).isEqualTo(9);
    assertThat(read.noiseOn(Device.CPU)).hasToString("cuda:v100");
    assertThat(read.tf32()).contains(true);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "\"version\":1   | \"version\":2     | version 2 is not supported",
        "\"version\":1,  | ``                | version is missing",
        "\"seed\":5      | \"seed\":\"5\"    | seed must be a whole number, but is '5'",
        "\"seed\":5      | \"seed\":1e30     | seed must be a whole number",
        "\"seed\":5,     | ``                | seed is missing",
        "\"seed\":5      | \"seeds\":\"0-3\" | is the contact sheet of seeds 0-3",
        "\"class\":2     | \"class\":-1      | class must be a whole number of at least 0",
        "\"class\":2     | \"class\":99999999999 | class must be the number of a class",
        "\"batch\":4     | \"batch\":0       | batch must be a whole number of at least 1",
        "\"batch\":4     | \"batch\":9999999 | batch_index must be below batch",
        "_index\":1      | _index\":4        | batch_index must be below batch",
        "\"both\"        | \"none\"          | sampler_stages is invalid",
        "a.pkl\",        | a.pkl\",\"x\":1,  | x is unknown",
        "_sha256\":\"    | _sha256\":\"X     | network_first_sha256 must be 64",
        "\"num_steps\":4 | \"num_steps\":1   | first.num_steps must be at least 2",
        "\"num_steps\":9 | \"steps\":9       | second.steps is unknown",
        "\"second\"      | \"seventh\"       | seventh is unknown",
        "\"contrast\":1  | \"contrast\":[]   | enhancement.contrast must be a number",
        "cuda:0          | tpu               | device is invalid",
        "\"auto\"        | \"int8\"          | dtype is invalid",
        "\"fast\"        | \"slow\"          | numerics is invalid",
        "\"cuda\",       | \"dice\",         | noise is invalid",
        "v100            | t4                | noise_grid is invalid",
        "\"tf32\":true   | \"tf32\":1        | tf32 must be true or false",
        "true}           | true              | is not valid JSON",
        "true}           | true}{}           | is not valid JSON",
        "true}           | true,\"a\\u001b[2J\":1} | a\\u{1b}[2J is unknown",
      })
  void anInvalidTextIsOneLineThatNamesThePlace(String part, String by, String message) {
    assertThat(GOOD).contains(part);
    Path file = picture(GOOD.replaceFirst(Pattern.quote(part), Matcher.quoteReplacement(by)));

    RdmRun run = like(file, "--network_first=a");

    assertThat(run.code()).isEqualTo(ExitCode.FAILURE);
    assertThat(run.err().lines()).hasSize(1);
    assertThat(run.error()).startsWith("rdm: " + file + ": ").contains(message);
    assertThat(folder.resolve("again")).doesNotExist();
  }

  @Test
  void othersTextsAndDamageAreRefused() throws IOException {
    assertThatThrownBy(() -> PictureOrigin.read(picture("a program of that name wrote this")))
        .isInstanceOf(FileException.class)
        .hasMessageContaining("text 'rdm': is not valid JSON");
    assertThatThrownBy(() -> PictureOrigin.read(picture("[]")))
        .hasMessageContaining("expected a JSON object");
    assertThatThrownBy(() -> PictureOrigin.read(picture("{\"a\":" + "[".repeat(100_000))))
        .isInstanceOf(FileException.class);
    Path file = folder.resolve("other.png");
    PngText parameters = new PngText(List.of(new PngTextEntry("parameters", "a cat, steps: 20")));
    PngWriter.write(Pixels.black(4, 4, 3), Compression.FAST, parameters, file);
    assertThatThrownBy(() -> PictureOrigin.read(file))
        .hasMessageContaining("does not tell its origin");
    byte[] good = Files.readAllBytes(picture(GOOD));
    byte[] flipped = good.clone();
    flipped[new String(good, StandardCharsets.ISO_8859_1).indexOf("\"seed\"")] ^= 1;
    for (byte[] damaged : List.of(flipped, Arrays.copyOf(good, good.length - 20))) {
      Files.write(file, damaged);
      assertThatThrownBy(() -> PictureOrigin.read(file)).isInstanceOf(FileException.class);
    }
    Files.writeString(file, "GIF89a");
    assertThatThrownBy(() -> PictureOrigin.read(file)).hasMessageContaining("is not a PNG file");
    assertThat(like(folder.resolve("missing.png"), "--network_first=a").error())
        .contains("missing.png: ");
  }
}
