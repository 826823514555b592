// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.download;

import java.nio.file.Path;
import org.relaydiffusion.launch.command.FileLocation;

/**
 * An input file of a command.
 *
 * @param location as given by the user
 * @param path the local path, of the downloaded file if the location is a URL
 */
public record SourceFile(FileLocation location, Path path) {
  /** Returns a local file. */
  public static SourceFile of(Path path) {
    return new SourceFile(new FileLocation.Local(path), path);
  }

  /** Returns the name of the file, without folders or the address of a server. */
  public String name() {
    String name =
        switch (location) {
          case FileLocation.Local(Path local) -> String.valueOf(local.getFileName());
          case FileLocation.Remote remote -> {
            String address = remote.toString();
            yield address.substring(address.lastIndexOf('/') + 1);
          }
        };
    return name.isEmpty() ? "unnamed" : name;
  }

  /** Returns the location as given, for records and messages. */
  @Override
  public String toString() {
    return location.toString();
  }
}
