// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.diffusion.StageNames;
import org.relaydiffusion.diffusion.image.PictureReader;
import org.relaydiffusion.diffusion.image.Pixels;
import org.relaydiffusion.launch.RdmRun;

/** The demo's three networks, together and in parts, by command. */
class ThreeStagesTest {
  @TempDir private Path folder;

  private RdmRun generate(DemoNetworks networks, String outdir, String... more) {
    List<String> line =
        new ArrayList<>(
            List.of(
                "generate",
                "--outdir=" + folder.resolve(outdir),
                "--seeds=5",
                "--device=cpu",
                "--num_steps_first=3",
                "--num_steps_second=8",
                "--num_steps_third=8"));
    for (int i = 0; i < networks.files().size(); i++) {
      line.add("--network_%s=%s".formatted(StageNames.of(i), networks.files().get(i)));
    }
    line.addAll(List.of(more));
    return RdmRun.of(line.toArray(String[]::new));
  }

  private Pixels picture(String outdir) {
    return PictureReader.read(folder.resolve(outdir).resolve("000000").resolve("000005.png"));
  }

  @Test
  void aThirdStageNeedsNothingButItsNetwork() {
    try (DemoNetworks networks = DemoNetworks.unpack(3)) {
      RdmRun all = generate(networks, "all");
      assertThat(all.code()).as(all.err()).isZero();
      assertThat(all.err()).contains("stages 1 to 3");
      assertThat(picture("all").width()).isEqualTo(128);

      RdmRun some = generate(networks, "some", "--sampler_stages=first-second");
      assertThat(some.code()).as(some.err()).isZero();
      assertThat(some.err()).contains("both stages");
      assertThat(picture("some").width()).isEqualTo(64);

      RdmRun third =
          generate(
              networks, "third", "--sampler_stages=third", "--indir=" + folder.resolve("some"));
      assertThat(third.code()).as(third.err()).isZero();
      assertThat(third.err()).contains("third stage");
      assertThat(picture("third").width()).isEqualTo(128);
    }
  }

  @Test
  void theDemoHasAtMostThree() {
    RdmRun run = RdmRun.of("demo", "--outdir=" + folder, "--stages=4");
    assertThat(run.code()).isEqualTo(2);
    assertThat(run.error()).isEqualTo("rdm: --stages must be 1 to 3, but is 4");
  }
}
