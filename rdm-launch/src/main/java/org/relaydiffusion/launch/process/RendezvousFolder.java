package org.relaydiffusion.launch.process;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.relaydiffusion.FileException;

/**
 * A folder that only this user can enter, with the file in which the ranks of one node find one
 * another. A store in a file instead of one that listens: no other user can join the run, and no
 * port can be lost to another process after it was chosen.
 */
final class RendezvousFolder implements AutoCloseable {
  private Path folder;

  private RendezvousFolder(Path folder) {
    this.folder = folder;
  }

  /**
   * Makes the folder, in the JVM's folder for temporary files.
   *
   * @throws FileException when that cannot be written
   */
  static RendezvousFolder create() {
    return new RendezvousFolder(make());
  }

  private static Path make() {
    try {
      // With mode 0700, whatever the umask is.
      return Files.createTempDirectory("rdm-launch-");
    } catch (IOException e) {
      throw new FileException(
          Path.of(System.getProperty("java.io.tmpdir")),
          "no folder can be made here for the ranks to meet in (RDM_JAVA_OPTS=-Djava.io.tmpdir=DIR"
              + " names another): "
              + e,
          e);
    }
  }

  /**
   * The file of one attempt; it is not there yet.
   *
   * @throws FileException when the folder has to be made again, and cannot be
   */
  Path file(int attempt) {
    // Many systems delete temporary files that are some days old, and a run may last for weeks.
    if (!Files.isDirectory(folder)) {
      folder = make();
    }
    return folder.resolve("attempt_" + attempt);
  }

  /** Removes all, when no rank is left. */
  @Override
  public void close() {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder)) {
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(folder);
    } catch (IOException e) {
      // A few bytes are left where temporary files are; no reason to fail.
      System.getLogger("org.relaydiffusion.launch")
          .log(System.Logger.Level.DEBUG, folder + " cannot be removed", e);
    }
  }
}
