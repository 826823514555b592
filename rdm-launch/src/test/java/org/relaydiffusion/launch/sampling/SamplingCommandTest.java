// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.diffusion.image.Compression;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.image.PngWriter;
import org.relaydiffusion.launch.RdmRun;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.StopSignal;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The sampling commands from the command line to files. */
class SamplingCommandTest {
  @TempDir private Path folder;

  @Test
  void textAndHeaderGoToTheirStreams() {
    Relay relay = Relay.conditional(folder.resolve("out"));

    RdmRun run = relay.run("--seeds=3,1", "--batch=1");

    assertThat(run.out())
        .matches("\\Q%s\\E: 2 images in \\S+, \\S+ per second\\R".formatted(relay.outdir()));
    assertThat(run.err())
        .isEqualTo(
            "rdm generate: seeds 3,1, batch 1, both stages, cpu, float32, fast%n".formatted());
    assertThat(pictures(relay.outdir())).containsExactly("000000/000001.png", "000000/000003.png");
  }

  @Test
  void theSummaryIsOneJsonObject() {
    Relay relay = Relay.conditional(folder.resolve("out"));

    RdmRun run =
        relay.run(
            "--seeds=0", "--class=2", "--json", "--quiet", "--grid=" + folder.resolve("g.png"));

    assertThat(run.err()).isEmpty();
    JsonNode json = new JsonMapper().readTree(run.out());
    assertThat(json.get("images").intValue()).isEqualTo(1);
    assertThat(json.get("class").intValue()).isEqualTo(2);
    assertThat(json.get("device").stringValue()).isEqualTo("cpu");
    assertThat(json.at("/first/num_steps").intValue()).isEqualTo(2);
    assertThat(json.at("/second/up_scale").intValue()).isEqualTo(4);
    assertThat(json.get("grid").stringValue()).isEqualTo(folder.resolve("g.png").toString());
  }

  @Test
  void theOptionsStandBesideThePictures() throws IOException {
    Relay relay = Relay.conditional(folder.resolve("out"));

    relay.run("--seeds=0,4", "--class=2");

    JsonNode json =
        new JsonMapper()
            .readTree(Files.readString(relay.outdir().resolve("sampling_options.json")));
    assertThat(json.get("command").stringValue()).isEqualTo("generate");
    assertThat(json.get("seeds").stringValue()).isEqualTo("0,4");
    assertThat(json.get("class").intValue()).isEqualTo(2);
    assertThat(json.at("/second/up_scale").intValue()).isEqualTo(4);
    assertThat(json.get("numerics").stringValue()).isEqualTo("fast");
  }

  /** A seed's class, and so its picture, is the same in any batch; 3 is the class of seeds 1, 3. */
  @Test
  void severalClassesAreTakenInTurnBySeed() throws IOException {
    Relay several = Relay.conditional(folder.resolve("several"));
    Relay one = Relay.conditional(folder.resolve("one"));

    RdmRun run = several.run("--seeds=3,0-1", "--class=1,3", "--batch=1");
    one.run("--seeds=3,1", "--class=3", "--batch=1");

    assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.OK);
    for (String picture : List.of("000000/000001.png", "000000/000003.png")) {
      assertThat(several.picture(picture)).hasSameBinaryContentAs(one.picture(picture));
    }
    JsonNode json =
        new JsonMapper()
            .readTree(Files.readString(several.outdir().resolve("sampling_options.json")));
    assertThat(json.get("class").stringValue()).isEqualTo("1,3");

    RdmRun resumed = several.run("--seeds=0-3", "--class=1-3", "--resume");
    assertThat(resumed.err()).contains("class 1-3 instead of 1,3");
    assertThat(several.run("--seeds=0", "--class=1,4-5").err())
        .contains("class must be 0 to 3, but is 4-5");
  }

  @Test
  void picturesOfOtherOptionsOrNetworksAreNotKept() throws IOException {
    Relay relay = Relay.conditional(folder.resolve("out"));
    relay.run("--seeds=0-1");
    byte[] before = Files.readAllBytes(relay.picture("000000/000001.png"));
    Path copied = Files.copy(relay.first(), folder.resolve("first.pkl"));

    RdmRun steps = relay.run("--seeds=0-2", "--resume", "--num_steps_first=4");
    assertThat(steps.code()).as(steps.err()).isEqualTo(ExitCode.FAILURE);
    assertThat(steps.err())
        .contains(
            "rdm: "
                + relay.outdir().resolve("sampling_options.json")
                + ": the existing"
                + " images")
        .contains("first.num_steps 4 instead of 2")
        .contains("choose another --outdir, or regenerate all of them without --resume");

    // Another place of the same network is the same; another network is not.
    RdmRun moved = relay.run("--seeds=0-1", "--resume", "--network_first=" + copied);
    assertThat(moved.code()).as(moved.err()).isZero();
    assertThat(moved.out()).contains("2 already existed");
    RdmRun other =
        relay.run(
            "--seeds=0-1", "--resume", "--sampler_stages=first", "--network_second=" + copied);
    assertThat(other.err()).contains("sampler_stages first instead of both");
    assertThat(Files.readAllBytes(relay.picture("000000/000001.png"))).isEqualTo(before);
    assertThat(relay.picture("000000/000002.png")).doesNotExist();
  }

  @Test
  void noiseOfAnotherSourceIsOtherPictures() throws IOException {
    Relay relay = Relay.conditional(folder.resolve("out"));
    RdmRun gpu = relay.run("--seeds=0-1", "--noise=CUDA");
    assertThat(gpu.err()).contains(", fast, noise cuda:a100");
    Path record = relay.outdir().resolve("sampling_options.json");
    JsonNode json = new JsonMapper().readTree(Files.readString(record));
    assertThat(json.get("noise").stringValue()).isEqualTo("cuda:a100");
    byte[] picture = Files.readAllBytes(relay.picture("000000/000001.png"));
    assertThat(relay.run("--seeds=0-1", "--noise=cuda:864", "--resume").out())
        .contains("2 already existed");

    RdmRun cpu = relay.run("--seeds=0-1", "--resume");

    assertThat(cpu.code()).as(cpu.err()).isEqualTo(ExitCode.FAILURE);
    assertThat(cpu.err()).contains("noise cpu instead of cuda:a100");
    assertThat(Files.readAllBytes(relay.picture("000000/000001.png"))).isEqualTo(picture);
    relay.run("--seeds=0-1");
    assertThat(Files.readAllBytes(relay.picture("000000/000001.png"))).isNotEqualTo(picture);
  }

  /** Records without a source were written when there was one only. */
  @Test
  void whatOldFoldersHoldHasTheNoiseOfTheCpu() throws IOException {
    Relay relay = Relay.conditional(folder.resolve("out"));
    relay.run("--seeds=0");
    Path record = relay.outdir().resolve("sampling_options.json");
    String text = Files.readString(record);
    String old = text.replaceAll(",\\s*\"noise\" : \"cpu\"", "");
    assertThat(old).isNotEqualTo(text);
    Files.writeString(record, old);

    RdmRun resumed = relay.run("--seeds=0", "--resume");
    RdmRun other = relay.run("--seeds=0", "--resume", "--noise=cuda:v100");

    assertThat(resumed.code()).as(resumed.err()).isZero();
    assertThat(resumed.out()).contains("1 already existed");
    assertThat(other.err()).contains("noise cuda:v100 instead of cpu");
  }

  @Test
  void anotherNetworkIsToldByItsSum() throws IOException {
    Relay one = Relay.unconditional(folder.resolve("out"));
    one.run("--seeds=0", "--sampler_stages=first");
    Path network = Files.copy(one.second(), folder.resolve("second.pt"));

    RdmRun run =
        one.run("--seeds=0", "--sampler_stages=first", "--resume", "--network_first=" + network);

    assertThat(run.code()).as(run.err()).isEqualTo(ExitCode.FAILURE);
    assertThat(run.err()).contains("network_first_sha256 ").doesNotContain("network_first /");
  }

  @Test
  void picturesThatWereThereBeforeAReplacingRunAreNotKeptForItsOptions() throws IOException {
    Relay relay = Relay.conditional(folder.resolve("out"));
    relay.run("--seeds=0-2", "--num_steps_first=4");
    FileTime old = FileTime.fromMillis(System.currentTimeMillis() - 60_000);
    for (int seed = 0; seed < 3; seed++) {
      Files.setLastModifiedTime(relay.picture("000000/00000%s.png".formatted(seed)), old);
    }
    relay.run("--seeds=0");

    RdmRun resumed = relay.run("--seeds=0-2", "--resume");

    assertThat(resumed.code()).as(resumed.err()).isZero();
    assertThat(resumed.out()).contains(": 2 images in ", "; 1 already existed");
  }

  @Test
  void whatOldFoldersDoNotRecordCannotBeKnown() throws IOException {
    Relay relay = Relay.conditional(folder.resolve("out"));
    relay.run("--seeds=0");
    Path record = relay.outdir().resolve("sampling_options.json");
    String text = Files.readString(record);
    Files.writeString(record, text.replaceAll(",\\s*\"network_\\w+_sha256\" : \"\\w+\"", ""));
    RdmRun unsummed = relay.run("--seeds=0", "--resume");
    assertThat(unsummed.code()).as(unsummed.err()).isZero();
    assertThat(unsummed.err()).contains("does not record the networks' checksums", "cannot verify");

    Files.delete(record);
    RdmRun without = relay.run("--seeds=0-1", "--resume");
    assertThat(without.err()).contains(record + " is missing", "cannot verify");
    assertThat(without.out()).contains("1 already existed");
    assertThat(relay.run("--seeds=0-1", "--resume").err()).doesNotContain("cannot verify");
  }

  @Test
  void aResumedRunMakesOnlyWhatIsMissingOrDamaged() throws IOException {
    Relay relay = Relay.conditional(folder.resolve("out"));
    Path sheet = folder.resolve("sheet.png");
    relay.run("--seeds=0-3");
    Pixels second = PictureReader.read(relay.picture("000000/000002.png"));
    Files.delete(relay.picture("000000/000001.png"));
    Files.write(relay.picture("000000/000002.png"), new byte[] {1, 2, 3});
    FileTime old = FileTime.fromMillis(1000);
    Files.setLastModifiedTime(relay.picture("000000/000000.png"), old);

    RdmRun run = relay.run("--seeds=0-3", "--resume", "--grid=" + sheet);

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out())
        .contains(": 2 images in ", "; 2 already existed")
        .contains(sheet + ": contact sheet of 4 images");
    assertThat(Files.getLastModifiedTime(relay.picture("000000/000000.png"))).isEqualTo(old);
    assertThat(pictures(relay.outdir())).hasSize(4);
    // The same seed is the same picture in another batch, but for the sums' rounding.
    Pixels again = PictureReader.read(relay.picture("000000/000002.png"));
    assertThat(valuesOffByOne(again, second)).isLessThan(second.data().length / 1000);
    assertThat(relay.run("--seeds=0-3", "--resume").out())
        .isEqualTo("%s: 0 images; 4 already existed%n".formatted(relay.outdir()));
  }

  @Test
  void theSecondStageStartsFromTheFirstOnesPictures() {
    Relay small = Relay.conditional(folder.resolve("small"));
    Relay large = Relay.conditional(folder.resolve("large"));

    RdmRun first = small.run("--seeds=5,6", "--sampler_stages=first");
    RdmRun second =
        large.run("--seeds=5,6", "--sampler_stages=second", "--indir=" + small.outdir());

    assertThat(first.code()).as(first.err()).isZero();
    assertThat(second.code()).as(second.err()).isZero();
    assertThat(PictureReader.read(small.picture("000000/000005.png")).width()).isEqualTo(8);
    assertThat(PictureReader.read(large.picture("000000/000005.png")).width()).isEqualTo(32);
  }

  @Test
  void aZipOfTheFirstStagesPicturesIsTakenByTheSameNames() throws IOException {
    Path in = folder.resolve("in");
    for (long seed : List.of(4L, 7L)) {
      Pixels pixels = Pixels.black(8, 8, 3);
      pixels.data()[0] = (byte) (20 * seed);
      Path file = in.resolve("000000/00000%s.png".formatted(seed));
      Files.createDirectories(file.getParent());
      PngWriter.write(pixels, Compression.FAST, file);
    }
    Path zip = folder.resolve("in.zip");
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(zip))) {
      for (String name : List.of("000000/000004.png", "000000/000007.png")) {
        out.putNextEntry(new ZipEntry(name));
        out.write(Files.readAllBytes(in.resolve(name)));
      }
    }
    Pixels expected = null;
    for (Path indir : List.of(in, zip)) {
      Relay large = Relay.conditional(folder.resolve("large-of-" + indir.getFileName()));
      RdmRun run = large.run("--seeds=7", "--sampler_stages=second", "--indir=" + indir);
      assertThat(run.code()).as(run.err()).isZero();
      Pixels made = PictureReader.read(large.picture("000000/000007.png"));
      expected = expected == null ? made : expected;
      assertThat(made).isEqualTo(expected);
    }
    Files.copy(in.resolve("000000/000004.png"), in.resolve("photo.png"));
    RdmRun mixed =
        Relay.conditional(folder.resolve("none"))
            .run("--seeds=7", "--sampler_stages=second", "--indir=" + in);
    assertThat(mixed.err())
        .contains("named by seeds, such as 000000/000004.png, and others, such as photo.png");
  }

  @Test
  void theSecondStageEnlargesPicturesOfAnyName() throws IOException {
    Path in = Files.createDirectories(folder.resolve("in/sub"));
    Path bitmap = in.resolveSibling("photo.jpg");
    BufferedImage photo = new BufferedImage(8, 8, BufferedImage.TYPE_INT_RGB);
    photo.setRGB(3, 3, 0xff8040);
    ImageIO.write(photo, "jpg", bitmap.toFile());
    PngWriter.write(Pixels.black(16, 16, 3), Compression.FAST, in.resolve("b.png"));
    Relay large = Relay.conditional(folder.resolve("large"));
    String[] options = {
      "--seeds=0-3", "--sampler_stages=second", "--indir=" + in.getParent(), "--batch=1"
    };

    RdmRun run = large.run(options);

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.err())
        .contains("in: 2 images, seed 0 uses photo.jpg, seed 1 uses sub/b.png, and so on");
    assertThat(pictures(large.outdir())).hasSize(4);
    // Seeds 0 and 2 have the same picture and noise of their own.
    Pixels first = PictureReader.read(large.picture("000000/000000.png"));
    assertThat(PictureReader.read(large.picture("000000/000002.png"))).isNotEqualTo(first);

    // The same by the names of seeds is the same to the bit.
    Path named = Files.createDirectories(folder.resolve("named"));
    PngWriter.write(PictureReader.read(bitmap), Compression.FAST, named.resolve("000000.png"));
    Relay again = Relay.conditional(folder.resolve("again"));
    run = again.run("--seeds=0", "--sampler_stages=second", "--indir=" + named, "--batch=1");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(PictureReader.read(again.picture("000000/000000.png"))).isEqualTo(first);
  }

  @Test
  void everyProcessWritesItsOwnBatches() {
    Relay relay = Relay.conditional(folder.resolve("out"));

    RdmRun second = relay.run(Map.of("RANK", "1", "WORLD_SIZE", "2"), "--seeds=0-3", "--batch=1");

    assertThat(second.err()).isEmpty();
    assertThat(pictures(relay.outdir())).containsExactly("000000/000001.png", "000000/000003.png");

    RdmRun first = relay.run(Map.of("RANK", "0", "WORLD_SIZE", "2"), "--seeds=0-3", "--batch=1");

    assertThat(first.err()).contains("2 processes (torchrun)");
    assertThat(pictures(relay.outdir())).hasSize(4);
  }

  /** What a script of {@code sbatch --ntasks=4} has in its environment: no task, but the job. */
  @Test
  void aSlurmScriptThatDoesNotUseSrunMakesAllPictures() {
    Relay relay = Relay.conditional(folder.resolve("out"));

    RdmRun run =
        relay.run(
            Map.of(
                "SLURM_JOB_ID", "77",
                "SLURM_PROCID", "0",
                "SLURM_LOCALID", "0",
                "SLURM_NODEID", "0",
                "SLURM_NTASKS", "4",
                "SLURM_TASKS_PER_NODE", "4",
                "SLURM_JOB_NODELIST", "node1"),
            "--seeds=0-7",
            "--batch=2");

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.err()).doesNotContain("processes");
    assertThat(pictures(relay.outdir())).hasSize(8);
  }

  @Test
  void aStoppedRunSaysHowToGoOn() {
    Relay relay = Relay.conditional(folder.resolve("out"));
    StopSignal stop = new StopSignal();
    stop.request();

    RdmRun run = relay.run(Map.of(), stop, "--seeds=0-3", "--quiet");

    assertThat(run.code()).isEqualTo(ExitCode.INTERRUPTED);
    assertThat(run.err())
        .isEqualTo(
            ("rdm: stopped with 0 of 4 images written to %s;"
                    + " to resume, run the same command with --resume%n")
                .formatted(relay.outdir()));
    assertThat(run.out()).isEmpty();
  }

  @Test
  void theDemoMakesAContactSheet() {
    RdmRun run = RdmRun.of("demo", "--outdir=" + folder);

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).contains("grid.png: contact sheet of 64 images");
    assertThat(PictureReader.read(folder.resolve("grid.png")).width()).isEqualTo(8 * 66 + 2);
  }

  /** How many values differ; none by more than one. */
  private static long valuesOffByOne(Pixels made, Pixels expected) {
    assertThat(made.toString()).isEqualTo(expected.toString());
    long different = 0;
    for (int i = 0; i < made.data().length; i++) {
      int distance = Math.abs((made.data()[i] & 0xff) - (expected.data()[i] & 0xff));
      assertThat(distance).as("value %s", i).isLessThan(2);
      different += distance;
    }
    return different;
  }

  private static List<String> pictures(Path root) {
    try (Stream<Path> files = Files.walk(root)) {
      return files
          .filter(file -> file.toString().endsWith(".png"))
          .map(file -> root.relativize(file).toString().replace('\\', '/'))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
