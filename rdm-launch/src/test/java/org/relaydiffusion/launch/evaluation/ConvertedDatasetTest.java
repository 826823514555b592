// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.launch.RdmRun;
import org.relaydiffusion.launch.command.StopSignal;
import org.relaydiffusion.metrics.ActivationsFile;

/** What {@code dataset} wrote, {@code train} and {@code evaluate activations} read. */
class ConvertedDatasetTest {
  private static final Path SOURCE =
      Path.of(System.getProperty("rdm.fixtures")).resolve("dataset/convert/src_classes");

  @TempDir private Path folder;

  private final TestFeatures features = new TestFeatures();

  private Path convert(String name) {
    Path set = folder.resolve(name);
    RdmRun run =
        RdmRun.of(
            "dataset",
            "--source=" + SOURCE,
            "--dest=" + set,
            "--transform=center-crop",
            "--resolution=16x16");
    assertThat(run.code()).as(run.err()).isZero();
    return set;
  }

  private Path extract(Path set, String name) {
    Path target = folder.resolve(name);
    RdmRun run =
        RdmRun.evaluating(
            features,
            Map.of(),
            new StopSignal(),
            "evaluate",
            "activations",
            "--data=" + set,
            "--dest=" + target);
    assertThat(run.code()).as(run.err()).isZero();
    return target;
  }

  @ParameterizedTest
  @ValueSource(strings = {"set", "set.zip"})
  void trainingTakesBothForms(String name) {
    Path runs = folder.resolve("runs");
    RdmRun run =
        RdmRun.of(
            "train",
            "--data=" + convert(name),
            "--outdir=" + runs,
            "--cond=1",
            "--cbase=8",
            "--cres=1,2",
            "--num-blocks=1",
            "--batch=2",
            "--duration=0.000004",
            "--sample-ticks=0",
            "--threads=1");
    assertThat(run.code()).as(run.err()).isZero();
    assertThat(runs.resolve("00000-set-cond-adm-edm-gpus1-batch2-fp32")).isDirectory();
  }

  @Test
  void extractionTakesBothFormsAlike() {
    Path ofZip = extract(convert("set.zip"), "zip.npz");
    Path ofFolder = extract(convert("set"), "folder.npz");

    assertThat(ofFolder).hasSameBinaryContentAs(ofZip);
    try (ActivationsFile file = ActivationsFile.open(ofZip)) {
      assertThat(file.count()).hasValue(9);
    }
  }
}
