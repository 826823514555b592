package org.relaydiffusion.launch.download;

import java.nio.file.Path;
import org.relaydiffusion.launch.command.FileLocation;

/**
 * A file that a command reads.
 *
 * @param location as the user gave it
 * @param path where it is on this machine, or will be once it is downloaded
 */
public record SourceFile(FileLocation location, Path path) {
  /** A file of this machine. */
  public static SourceFile of(Path path) {
    return new SourceFile(new FileLocation.Local(path), path);
  }

  /** As it was given, for records and messages. */
  @Override
  public String toString() {
    return location.toString();
  }
}
