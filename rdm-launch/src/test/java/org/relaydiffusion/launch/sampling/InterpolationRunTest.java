// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.launch.RdmRun;

/** {@code --interpolate} and {@code --animate}. */
class InterpolationRunTest {
  @TempDir private Path folder;

  private static Pixels picture(Path file) {
    return PictureReader.read(file);
  }

  @Test
  void framesWalkFromTheImageOfTheFirstSeed() throws IOException {
    Relay relay = Relay.unconditional(folder.resolve("walk"));
    RdmRun run = relay.run("--interpolate=3:17:3");

    assertThat(run.code()).as(run.err()).isZero();
    Path frames = relay.picture("interpolation_3_17");
    try (Stream<Path> files = Files.list(frames)) {
      assertThat(files.map(f -> f.getFileName().toString()).sorted())
          .isEqualTo(List.of("00000.png", "00001.png", "00002.png"));
    }
    assertThat(relay.picture("interpolation_3_17.gif")).isNotEmptyFile();
    Relay alone = Relay.unconditional(folder.resolve("alone"));
    assertThat(alone.run("--seeds=3", "--batch=1").code()).isZero();
    assertThat(picture(frames.resolve("00000.png")))
        .isEqualTo(picture(alone.picture("000000/000003.png")));
    assertThat(picture(frames.resolve("00002.png")))
        .isNotEqualTo(picture(frames.resolve("00000.png")));
  }

  @Test
  void anAnimationIsWrittenBesideTheImages() {
    Relay relay = Relay.unconditional(folder.resolve("images"));
    Path gif = folder.resolve("trajectory.gif");
    RdmRun run = relay.run("--seeds=0-2", "--animate=" + gif);

    assertThat(run.code()).as(run.err()).isZero();
    assertThat(run.out()).contains(gif + ": animation");
    assertThat(gif).isNotEmptyFile();
    assertThat(relay.picture("000000/000002.png")).exists();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--seeds=1",
        "--batch=2",
        "--resume",
        "--grid=s.png",
        "--npz=a.npz",
        "--animate=a.gif"
      })
  void itHasNoOtherImagesOrOutput(String option) {
    RdmRun run = Relay.unconditional(folder.resolve("none")).run("--interpolate=3:17:3", option);

    assertThat(run.code()).isEqualTo(2);
    assertThat(run.error())
        .isEqualTo(
            "rdm: --interpolate and %s are mutually exclusive"
                .formatted(option.replaceAll("=.*", "")));
  }
}
