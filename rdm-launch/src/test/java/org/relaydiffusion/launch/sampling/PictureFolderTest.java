// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.relaydiffusion.FileException;

class PictureFolderTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource({
    "0, 000000/000000.png",
    "999, 000000/000999.png",
    "80123, 080000/080123.png",
    "4294967296, 4294967000/4294967296.png",
    "-1, -01000/-00001.png"
  })
  void aFolderHolds1000Seeds(long seed, String file) {
    assertThat(new PictureFolder(folder).file(seed)).isEqualTo(folder.resolve(file));
  }

  @Test
  void aMissingFolderIsMadeAndLeftEmpty() {
    Path deep = folder.resolve("a/b");

    new PictureFolder(deep).prepare();

    assertThat(deep).isEmptyDirectory();
  }

  @Test
  void aFileInItsPlaceIsNamed() throws IOException {
    Path file = Files.createFile(folder.resolve("out"));

    assertThatThrownBy(() -> new PictureFolder(file).prepare())
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(file.toString());
    assertThatThrownBy(() -> new PictureFolder(file.resolve("below")).prepare())
        .isInstanceOf(FileException.class)
        .hasMessageStartingWith(file.toString());
  }
}
