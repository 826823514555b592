// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.checkpoints;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.relaydiffusion.launch.RdmRun;
import org.relaydiffusion.launch.command.ExitCode;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Fixtures checkpoints_bad/files: every file to be refused ends in one line and exit code 1. */
class HostileFilesTest {
  private static final Path BAD =
      Path.of(System.getProperty("rdm.fixtures"), "checkpoints_bad", "files");

  /** What the commands inside the files would make, if they ever ran. */
  private static final Path EXECUTED = Path.of("PWNED_BY_PICKLE");

  @TempDir private Path folder;

  static Stream<Arguments> refused() {
    return files("refuse");
  }

  static Stream<Arguments> loaded() {
    return files("load");
  }

  private static Stream<Arguments> files(String expect) {
    JsonNode manifest = new JsonMapper().readTree(BAD.resolve("manifest.json").toFile());
    return StreamSupport.stream(manifest.spliterator(), false)
        .filter(file -> file.get("expect").stringValue().equals(expect))
        .map(file ->
            Arguments.of(
                file.get("file").stringValue(),
                file.get("category").stringValue(),
                file.get("what").stringValue()));
  }

  @ParameterizedTest(name = "{0}: {2}")
  @MethodSource("refused")
  void isRefusedInOneLine(String name, String category, String what) {
    Path file = BAD.resolve(name);
    Path target = folder.resolve("out.safetensors");

    // What is wrong with the content is for those to say who want to use it.
    RdmRun run =
        category.equals("content")
            ? RdmRun.of("convert", "--quiet", "--source=" + file, "--dest=" + target)
            : RdmRun.of("inspect", file.toString());

    assertThat(run.code()).as(what).isEqualTo(ExitCode.FAILURE);
    assertThat(run.err().lines()).as(what).hasSize(1);
    // Of a file inside a zip, its name follows that of the zip.
    assertThat(run.error())
        .matches("rdm: \\Q%s\\E(/[\\w./]+)?: .+".formatted(file))
        .doesNotContain("unexpected");
    assertThat(run.err().strip()).as("control characters").doesNotContainPattern("\\p{Cntrl}");
    assertThat(run.out()).isEmpty();
    assertThat(folder).isEmptyDirectory();
    assertThat(EXECUTED).doesNotExist();
  }

  @ParameterizedTest(name = "{0}: {2}")
  @MethodSource("loaded")
  void controlsAreDescribed(String name, String category, String what) {
    RdmRun run = RdmRun.of("inspect", BAD.resolve(name).toString());

    assertThat(run.code()).as("%s: %s, %s", category, what, run.err()).isZero();
    assertThat(run.out().lines()).hasSizeGreaterThan(1);
    assertThat(run.err()).isEmpty();
  }
}
