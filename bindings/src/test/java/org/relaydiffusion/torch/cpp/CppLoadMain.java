// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.cpp;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Stream;
import org.bytedeco.javacpp.Loader;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.torch.distributed.ProcessGroup;
import org.relaydiffusion.torch.distributed.TcpStore;

/**
 * Loads the C++ classes and prints which files of a folder came into the process with them: their
 * names, or where the folder is the root, their paths.
 */
final class CppLoadMain {
  private static final Duration LONG = Duration.ofSeconds(60);

  private CppLoadMain() {}

  public static void main(String[] args) throws IOException {
    try {
      if (args[0].equals("javacpp")) {
        Loader.load(org.bytedeco.pytorch.Store.class);
      } else {
        try (TcpStore store = new TcpStore("localhost", 0, 1, TcpStore.Role.SERVER, LONG);
            ProcessGroup group = ProcessGroup.gloo(store, 0, 1, LONG)) {
          group.barrier();
        }
      }
      System.out.println("loaded");
    } catch (RdmException e) {
      System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage());
    }
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/maps"))) {
      lines
          .filter(l -> l.contains(args[1]))
          .map(l -> l.substring(args[1].equals("/") ? l.indexOf('/') : l.lastIndexOf('/') + 1))
          .distinct()
          .sorted()
          .forEach(System.out::println);
    }
  }
}
