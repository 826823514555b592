// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.model.safetensors.SafetensorsWriter;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.TensorData;
import org.relaydiffusion.torch.testing.FileNames;

/** Names that would clear a terminal, reorder a line or forge one, from everywhere they come. */
class ForeignNamesTest {
  /** C1's control sequence introducer, a right-to-left override, a line separator, a line feed. */
  private static final String EVIL = "b\u009b2J\u202egnp\u202c\u2028\nrdm: done \u001b[31mx";

  private static final String SHOWN =
      "b\\u{9b}2J\\u{202e}gnp\\u{202c}\\u{2028}\\u{a}rdm: done \\u{1b}[31mx";

  @TempDir private Path folder;

  private static void assertHarmless(RdmRun run) {
    assertThat((run.out() + run.err()).lines())
        .isNotEmpty()
        .allSatisfy(line -> assertThat(line).doesNotContainPattern("[\\p{C}\\p{Zl}\\p{Zp}]"));
  }

  @Test
  void membersOfAZip() throws IOException {
    Path zip = folder.resolve("set.zip");
    try (OutputStream file = Files.newOutputStream(zip);
        ZipOutputStream out = new ZipOutputStream(file, StandardCharsets.UTF_8)) {
      out.putNextEntry(new ZipEntry(EVIL + ".png"));
      out.write("no picture".getBytes(StandardCharsets.UTF_8));
    }

    RdmRun run = RdmRun.of("dataset", "--source=" + zip, "--dest=" + folder.resolve("out.zip"));

    assertThat(run.code()).isEqualTo(1);
    assertHarmless(run);
    assertThat(run.err()).contains(SHOWN);
  }

  @ParameterizedTest
  @ValueSource(strings = {"--quiet", "--json"})
  void tensorsOfACheckpoint(String form) {
    Path file = folder.resolve("x.safetensors");
    TensorData tensor =
        TensorData.contiguous(
            DType.UINT8, new long[] {2}, MemorySegment.ofArray(new byte[] {1, 2}));
    SafetensorsWriter.write(file, Map.of(EVIL, tensor), Map.of());

    RdmRun run = RdmRun.of("inspect", form, file.toString());

    assertThat(run.code()).as(run.err()).isZero();
    assertHarmless(run);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "inspect FILE",
        "inspect --json FILE",
        "inspect --debug FILE",
        "convert --source=FILE --dest=FILE",
        "dataset --source=FILE --dest=FILE",
        "generate --sampler_stages=first --outdir=FOLDER --network_first=FILE",
        "train --outdir=FILE --data=FILE",
        "FILE",
        "--FILE",
        "help FILE",
        "generate --outdir=FOLDER --seeds=FILE",
        "inspect x --FILE",
        "evaluate calc --metrics=is --activations_sample=FILE"
      })
  void pathsAndArguments(String line) {
    FileNames.assumeUnicode();
    String[] arguments = line.split(" ");
    for (int i = 0; i < arguments.length; i++) {
      arguments[i] = arguments[i].replace("FOLDER", folder.toString()).replace("FILE", EVIL);
    }

    RdmRun run = RdmRun.of(arguments);

    assertThat(run.code()).isIn(1, 2);
    assertHarmless(run);
    assertThat(run.err()).contains("\\u{9b}2J");
  }
}
