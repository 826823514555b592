// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.diffusion.image.Compression;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.diffusion.image.PngWriter;
import org.relaydiffusion.launch.RdmRun;

/** Mistakes that only the networks or the files can tell; all are found before sampling. */
class SamplingErrorsTest {
  @TempDir private Path folder;

  private static void assertFails(RdmRun run, int code, String message) {
    assertThat(run.code()).as(run.err()).isEqualTo(code);
    assertThat(run.error()).startsWith("rdm: ").contains(message);
    // One line, and for usage errors the hint.
    assertThat(run.err().lines()).hasSize(code);
    assertThat(run.out()).isEmpty();
  }

  @Test
  void aClassNeedsANetworkWithClasses() {
    RdmRun run = Relay.unconditional(folder).run("--quiet", "--class=1");

    assertFails(run, 2, "class");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void aClassBeyondTheLastIsNamed() {
    RdmRun run = Relay.conditional(folder).run("--quiet", "--class=4");

    assertFails(run, 2, "4");
    assertThat(run.error()).contains("class");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void anUnwritableOutdirIsFoundBeforeTheNetworksAreOpened() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "not a folder");

    RdmRun run =
        RdmRun.of(
            "generate", "--quiet", "--outdir=" + file, "--network_first=a", "--network_second=b");

    assertFails(run, 1, file + ": is a file, but must be a folder");
  }

  @Test
  void aMissingCheckpointIsNamed() {
    Path missing = folder.resolve("missing.pkl");

    RdmRun run = Relay.conditional(folder).run("--quiet", "--network_first=" + missing);

    assertFails(run, 1, missing + ": ");
  }

  @Test
  void aFileThatIsNoCheckpointIsNamed() throws IOException {
    Path text = Files.writeString(folder.resolve("notes.txt"), "no checkpoint");

    assertFails(
        Relay.conditional(folder).run("--quiet", "--network_second=" + text), 1, text + ": ");
  }

  @Test
  void everyInputPictureIsCheckedFirst() throws IOException {
    Path in = Files.createDirectories(folder.resolve("in"));
    Relay relay = Relay.conditional(folder.resolve("out"));
    String[] options = {"--quiet", "--seeds=0-1", "--sampler_stages=second", "--indir=" + in};

    PngWriter.write(Pixels.black(8, 8, 3), Compression.FAST, in.resolve("000000.png"));
    assertFails(relay.run(options), 1, "000001.png: is missing");

    Path bad = Files.createFile(in.resolve("000001.png"));
    assertFails(relay.run(options), 1, bad + ": is empty");

    PngWriter.write(Pixels.black(7, 7, 3), Compression.FAST, bad);
    assertFails(relay.run(options), 1, bad + ": has 7 x 7 pixels");

    PngWriter.write(Pixels.black(8, 8, 1), Compression.FAST, bad);
    assertThat(relay.run(options).code()).isZero();
  }

  @Test
  void anInputFolderThatIsNoneIsNamed() {
    Path in = folder.resolve("nowhere");

    assertFails(
        Relay.conditional(folder.resolve("out"))
            .run("--quiet", "--sampler_stages=second", "--indir=" + in),
        1,
        in + ": is not a folder; --indir must be a folder or a zip of images");
  }
}
