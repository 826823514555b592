// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.launch.RdmRun;

/** A name that the locale cannot hold is one line that says so. */
class FileNamesTest {
  private static final String ENCODING = System.getProperty("sun.jnu.encoding");
  private static final String HINT =
      "is not valid in this locale, which encodes file names in %s: rename it, or set LC_ALL"
          .formatted(ENCODING);

  @TempDir private Path folder;

  @Test
  void aNameThatJavaRefusesSaysWhy() {
    InvalidPathException c =
        new InvalidPathException(
            "caf\u00e9.png", "Malformed input or input contains unmappable characters");
    assertThat(FileNames.reason(c)).isEqualTo("'caf\u00e9.png' " + HINT);
    assertThatThrownBy(() -> FileNames.path("a\0b"))
        .isInstanceOf(OptionException.class)
        .hasMessageContaining("is not a valid file name: Nul character not allowed");
  }

  @Test
  void bytesThatAreNoNameHereAreNoMissingFile() {
    RdmRun option = RdmRun.of("inspect", folder.resolve("caf") + "\ufffd.pt");
    assertThat(option.code()).isEqualTo(ExitCode.USAGE);
    assertThat(option.error()).contains(HINT);
    RdmRun source =
        RdmRun.of(
            "dataset",
            "--source=" + folder.resolve("caf") + "\ufffd",
            "--dest=" + folder.resolve("x.zip"));
    assertThat(source.code()).isEqualTo(ExitCode.USAGE);
    assertThat(source.error()).contains(HINT);
  }

  @Test
  void aFileThatIsThereIsTakenWhateverItsName() throws Exception {
    assumeTrue(ENCODING.equals("UTF-8"), "names in UTF-8");
    Path odd = Files.createFile(folder.resolve("a\ufffdb"));
    assertThat(FileNames.path(odd.toString())).isEqualTo(odd);
    assertThat(FileNames.path("plain")).isEqualTo(Path.of("plain"));
    assertThat(FileNames.hint("plain: no such file")).isEmpty();
    assertThat(FileNames.hint("a\ufffdb: no such file")).contains("a name in it " + HINT);
  }
}
