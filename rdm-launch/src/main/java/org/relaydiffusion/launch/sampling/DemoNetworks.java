// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.io.AtomicFile;

/**
 * The checkpoints of the demo as files: checkpoints are memory-mapped, which is not possible inside
 * a jar.
 *
 * @param folder a temporary folder, deleted by {@link #close()}
 * @param first the checkpoint of the first stage
 * @param second the checkpoint of the second stage
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
      throw new RdmException("cannot unpack the networks of the demo: " + AtomicFile.reason(e), e);
    }
  }

  private static void copy(Path file) throws IOException {
    String name = "demo/" + file.getFileName();
    try (InputStream in = DemoNetworks.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalStateException(name + " is missing beside " + DemoNetworks.class);
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
      // On systems where mapped files cannot be deleted, the system cleans its temporary folder.
      folder.toFile().deleteOnExit();
    }
  }
}
