// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.diffusion.StageNames;
import org.relaydiffusion.io.AtomicFile;

/**
 * The checkpoints of the demo as files: checkpoints are memory-mapped, which is not possible inside
 * a jar.
 *
 * @param folder a temporary folder, deleted by {@link #close()}
 * @param files the checkpoints, in the order of the stages
 */
record DemoNetworks(Path folder, List<Path> files) implements AutoCloseable {
  /** The number of stages that the demo has networks for. */
  static final int MOST_STAGES = 3;

  /**
   * Copies networks out of the jar.
   *
   * @param stages of the first so many stages, 1 to {@link #MOST_STAGES}
   */
  static DemoNetworks unpack(int stages) {
    try {
      Path folder = Files.createTempDirectory("rdm-demo");
      List<Path> files =
          StageNames.all().stream()
              .limit(stages)
              .map(name -> folder.resolve(name + ".safetensors"))
              .toList();
      for (Path file : files) {
        copy(file);
      }
      return new DemoNetworks(folder, files);
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
      for (Path file : files) {
        Files.deleteIfExists(file);
      }
      Files.deleteIfExists(folder);
    } catch (IOException e) {
      // On systems where mapped files cannot be deleted, the system cleans its temporary folder.
      folder.toFile().deleteOnExit();
    }
  }
}
