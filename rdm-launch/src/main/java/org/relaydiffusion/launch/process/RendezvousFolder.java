// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.process;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.relaydiffusion.FileException;

/**
 * A folder that only this user can access, with the file used by the ranks of one node for their
 * rendezvous. With a file instead of a listening store, no other user can join the run, and no port
 * can be taken by another process after it was chosen.
 */
final class RendezvousFolder implements AutoCloseable {
  private Path folder;

  private RendezvousFolder(Path folder) {
    this.folder = folder;
  }

  /**
   * Creates the folder in the JVM's folder for temporary files.
   *
   * @throws FileException if that folder is not writable
   */
  static RendezvousFolder create() {
    return new RendezvousFolder(make());
  }

  private static Path make() {
    try {
      // With mode 0700, regardless of the umask.
      return Files.createTempDirectory("rdm-launch-");
    } catch (IOException e) {
      throw new FileException(
          Path.of(System.getProperty("java.io.tmpdir")),
          "cannot create a folder for the rendezvous of the ranks here"
              + " (RDM_JAVA_OPTS=-Djava.io.tmpdir=DIR"
              + " selects another): "
              + e,
          e);
    }
  }

  /**
   * Returns the file of one attempt, which does not exist yet.
   *
   * @throws FileException if the folder has to be created again and cannot be
   */
  Path file(int attempt) {
    // Many systems delete temporary files after some days, and a run may last for weeks.
    if (!Files.isDirectory(folder)) {
      folder = make();
    }
    return folder.resolve("attempt_" + attempt);
  }

  /** Deletes the folder, when no rank is left. */
  @Override
  public void close() {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(folder);
    } catch (IOException e) {
      // A few bytes remain in the folder of temporary files; this is not a failure.
      System.getLogger("org.relaydiffusion.launch")
          .log(System.Logger.Level.DEBUG, folder + " cannot be deleted", e);
    }
  }
}
