// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.launch.RdmRun;
import org.relaydiffusion.metrics.npy.NpyReader;
import org.relaydiffusion.metrics.npy.NpzFile;
import org.relaydiffusion.torch.Tensor;

/** Fixtures edm: snapshots of EDM's own code are first stages, and make its pictures. */
class EdmSnapshotsTest {
  private static final Path EDM = Path.of(System.getProperty("rdm.fixtures"), "edm");

  @TempDir private Path folder;

  private static byte[] array(Path file, String name) {
    try (NpzFile npz = NpzFile.open(file);
        NpyReader reader = npz.array(name);
        Tensor all = reader.read(3)) {
      return all.toBytes();
    }
  }

  /**
   * Tolerance: off by one in 0.4% of the values, as for the reference's own runs. On the library
   * that made them all are equal.
   */
  @ParameterizedTest
  @ValueSource(strings = {"edm-song-cond", "edm-adm-cond-fp16"})
  void exactMakesTheirPictures(String name) {
    Path npz = folder.resolve("samples.npz");

    // cases.json: the sampler's options; labels are seed mod 4, as by default.
    RdmRun run =
        RdmRun.of(
            "generate",
            "--sampler_stages=first",
            "--network_first=" + EDM.resolve(name + ".pkl"),
            "--outdir=" + folder.resolve("out"),
            "--npz=" + npz,
            "--seeds=3-5",
            "--numerics=exact",
            "--num_steps_first=9",
            "--S_churn_first=20",
            "--S_min_first=0.05",
            "--S_max_first=50",
            "--S_noise_first=1.003");

    assertThat(run.code()).as(run.err()).isZero();
    byte[] made = array(npz, "arr_0");
    byte[] expected = array(EDM.resolve(name + ".expected.npz"), "images");
    assertThat(made).hasSameSizeAs(expected);
    int differ = 0;
    for (int i = 0; i < made.length; i++) {
      int off = Math.abs((made[i] & 0xff) - (expected[i] & 0xff));
      assertThat(off).isLessThanOrEqualTo(1);
      differ += off;
    }
    assertThat(differ).isLessThanOrEqualTo(made.length * 4 / 1000);
  }
}
