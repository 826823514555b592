package org.relaydiffusion.launch.sampling;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.io.AtomicFile;

/**
 * The demo's checkpoints as files: checkpoints are mapped, which a file inside a jar cannot be.
 *
 * @param folder a temporary folder, deleted by {@link #close()}
 * @param first the first stage's checkpoint
 * @param second the second stage's checkpoint
 */
record DemoNetworks(Path folder, Path first, Path second) implements AutoCloseable {
  private static final String FIRST = "first.safetensors";
  private static final String SECOND = "second.safetensors";

  /** Copies the networks out of the jar. */
  static DemoNetworks unpack() {
    try {
      Path folder = Files.createTempDirectory("rdm-demo");
      DemoNetworks networks =
          new DemoNetworks(folder, folder.resolve(FIRST), folder.resolve(SECOND));
      copy(networks.first);
      copy(networks.second);
      return networks;
    } catch (IOException e) {
      throw new RdmException("the demo's networks cannot be unpacked: " + AtomicFile.reason(e), e);
    }
  }

  private static void copy(Path file) throws IOException {
    String name = "demo/" + file.getFileName();
    try (InputStream in = DemoNetworks.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is not beside " + DemoNetworks.class);
      }
      Files.copy(in, file);
    }
  }

  @Override
  public void close() {
    try {
      Files.deleteIfExists(first);
      Files.deleteIfExists(second);
      Files.deleteIfExists(folder);
    } catch (IOException e) {
      // A system that keeps mapped files cleans its temporary folder itself.
      folder.toFile().deleteOnExit();
    }
  }
}
