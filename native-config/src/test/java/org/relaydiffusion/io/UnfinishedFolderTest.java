// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.FileException;

class UnfinishedFolderTest {
  @TempDir private Path folder;

  private long entries() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.count();
    }
  }

  private static void fill(UnfinishedFolder unfinished, String text) throws IOException {
    Files.createDirectory(unfinished.path().resolve("sub"));
    Files.writeString(unfinished.path().resolve("sub/a.txt"), text);
  }

  @Test
  void aFolderAppearsWhenItIsFinished() throws IOException {
    Path target = folder.resolve("parent/target");
    try (UnfinishedFolder unfinished = UnfinishedFolder.create(target)) {
      fill(unfinished, "new");
      assertThat(target).doesNotExist();
      unfinished.finish();
    }

    assertThat(target.resolve("sub/a.txt")).hasContent("new");
    try (Stream<Path> files = Files.list(folder.resolve("parent"))) {
      assertThat(files).containsExactly(target);
    }
  }

  @Test
  void anOldFolderIsReplacedAsAWhole() throws IOException {
    Path target = Files.createDirectory(folder.resolve("target"));
    Files.writeString(target.resolve("old.txt"), "old");
    try (UnfinishedFolder unfinished = UnfinishedFolder.create(target)) {
      fill(unfinished, "new");
      assertThat(target.resolve("old.txt")).exists();
      unfinished.finish();
    }

    assertThat(target.resolve("sub/a.txt")).hasContent("new");
    assertThat(target.resolve("old.txt")).doesNotExist();
    assertThat(entries()).isEqualTo(1);
  }

  @Test
  void whatIsNotFinishedLeavesNothing() throws IOException {
    Path target = Files.createDirectory(folder.resolve("target"));
    Files.writeString(target.resolve("old.txt"), "old");
    try (UnfinishedFolder unfinished = UnfinishedFolder.create(target)) {
      fill(unfinished, "new");
    }

    assertThat(target.resolve("old.txt")).hasContent("old");
    assertThat(entries()).isEqualTo(1);
  }

  @Test
  void whatAnEndingProcessAbandonsLeavesNothing() throws IOException {
    Path target = folder.resolve("target");
    UnfinishedFolder unfinished = UnfinishedFolder.create(target);
    fill(unfinished, "new");

    AtomicFile.abandonUnfinished();

    assertThat(folder).isEmptyDirectory();
    assertThatThrownBy(unfinished::finish).isInstanceOf(FileException.class);
    unfinished.close();
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void linksOutOfTheFolderAreNotFollowed() throws IOException {
    Path outside = Files.createDirectory(folder.resolve("outside"));
    Files.writeString(outside.resolve("kept.txt"), "kept");
    try (UnfinishedFolder unfinished = UnfinishedFolder.create(folder.resolve("target"))) {
      Files.createSymbolicLink(unfinished.path().resolve("link"), outside);
    }

    assertThat(outside.resolve("kept.txt")).hasContent("kept");
    assertThat(entries()).isEqualTo(1);
  }

  @Test
  void aFileInPlaceOfTheParentIsNamed() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "x");

    assertThatThrownBy(() -> UnfinishedFolder.create(file.resolve("target")))
        .isInstanceOf(FileException.class)
        .hasMessageContaining(file + ": is a file, but must be a folder");
  }
}
