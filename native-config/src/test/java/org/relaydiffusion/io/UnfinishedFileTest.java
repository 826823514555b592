// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.relaydiffusion.CancelledException;
import org.relaydiffusion.FileException;

class UnfinishedFileTest {
  @TempDir Path folder;

  private static AtomicFile.Writer text(String text) {
    return out -> out.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
  }

  @Test
  void partsAppearTogetherWhenTheFileIsFinished() throws IOException {
    Path target = Files.writeString(folder.resolve("file.txt"), "the old content");
    try (UnfinishedFile file = UnfinishedFile.create(target)) {
      file.write(text("one, "));
      file.write(text("two"));
      assertThat(target).hasContent("the old content");
      file.finish();
      assertThat(target).hasContent("one, two");
    }
    assertThat(target).hasContent("one, two");
    try (Stream<Path> files = Files.list(folder)) {
      assertThat(files).containsExactly(target);
    }
  }

  @Test
  void aFileThatIsClosedUnfinishedLeavesNothing() {
    Path target = folder.resolve("below/file.txt");
    try (UnfinishedFile file = UnfinishedFile.create(target)) {
      file.write(text("half"));
      assertThat(target.getParent()).isNotEmptyDirectory();
    }
    assertThat(target.getParent()).isEmptyDirectory();
  }

  @Test
  void aFileThatCouldNotBeWrittenCannotBeFinished() {
    Path target = folder.resolve("file.txt");
    try (UnfinishedFile file = UnfinishedFile.create(target)) {
      assertThatThrownBy(() ->
              file.write(out -> {
                throw new IOException("No space left on device");
              }))
          .isInstanceOf(FileException.class)
          .hasMessage(target + ": cannot be written: No space left on device");
      assertThatThrownBy(() -> file.write(text("more"))).isInstanceOf(IllegalStateException.class);
      assertThatThrownBy(file::finish)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("could not be written");
    }
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void aFinishedOrClosedFileTakesNothingMore() {
    Path target = folder.resolve("file.txt");
    UnfinishedFile file = UnfinishedFile.create(target);
    file.finish();
    assertThatThrownBy(() -> file.write(text("more"))).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(file::finish).isInstanceOf(IllegalStateException.class);
    file.close();
    file.close();
    assertThat(target).isEmptyFile();
    UnfinishedFile closed = UnfinishedFile.create(target);
    closed.close();
    assertThatThrownBy(closed::finish).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void anInterruptBetweenPartsLeavesNothing() {
    Path target = folder.resolve("file.txt");
    try (UnfinishedFile file = UnfinishedFile.create(target)) {
      file.write(text("half"));
      Thread.currentThread().interrupt();
      assertThatThrownBy(() -> file.write(text("more")))
          .isInstanceOf(CancelledException.class)
          .hasMessage("writing " + target + " was interrupted");
      assertThat(Thread.interrupted()).isTrue();
    }
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void aFileThatAnEndingProcessAbandonsDoesNotAppear() {
    Path target = folder.resolve("file.txt");
    try (UnfinishedFile file = UnfinishedFile.create(target)) {
      file.write(text("half"));
      AtomicFile.abandonUnfinished();
      assertThat(folder).isEmptyDirectory();
      file.write(text("more"));
      assertThatThrownBy(file::finish).isInstanceOf(FileException.class);
    }
    assertThat(folder).isEmptyDirectory();
  }
}
