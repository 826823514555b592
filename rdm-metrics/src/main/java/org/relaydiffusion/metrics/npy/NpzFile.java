// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.npy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.LfsPointer;
import org.relaydiffusion.io.zip.ZipArchive;
import org.relaydiffusion.io.zip.ZipMember;

/**
 * The named arrays of an .npz file, as written by {@code np.savez} (stored) and {@code
 * np.savez_compressed} (deflated), including Zip64. Opening reads only the directory of the zip.
 *
 * <p>{@link #close()} closes the file and all readers opened from it.
 */
public final class NpzFile implements AutoCloseable {
  private static final String SUFFIX = ".npy";

  private final Path path;
  private final ZipArchive zip;
  private final SequencedMap<String, ZipMember> members = new LinkedHashMap<>();

  private NpzFile(Path path, ZipArchive zip) {
    this.path = path;
    this.zip = zip;
    zip.members().forEach(member -> members.put(member.name(), member));
  }

  /**
   * Opens a file.
   *
   * @return the file, which the caller closes
   * @throws FileException if it cannot be read, is not a zip, or is invalid
   */
  public static NpzFile open(Path path) {
    refuseOthers(path);
    return new NpzFile(path, ZipArchive.open(path));
  }

  /** Adds a hint for files that are often mistaken for an .npz file. */
  private static void refuseOthers(Path path) {
    if (NpyReader.isNpy(path)) {
      throw new FileException(
          path, "is an .npy file, a single unnamed array: use np.savez to write an .npz");
    }
    LfsPointer.in(path)
        .ifPresent(pointer -> {
          throw new FileException(path, pointer);
        });
  }

  /** Returns the comment of the archive; empty if there is none. */
  public String comment() {
    return zip.comment();
  }

  /** Returns the names of the arrays, without {@code .npy}, in the order of the file. */
  public List<String> names() {
    return members.keySet().stream()
        .filter(n -> n.endsWith(SUFFIX))
        .map(n -> n.substring(0, n.length() - SUFFIX.length()))
        .toList();
  }

  /**
   * Opens one array for reading from its beginning. Any number may be open concurrently.
   *
   * @param name without {@code .npy}
   * @throws FileException if there is no array with that name, or as for {@link NpyReader#open}
   */
  @SuppressWarnings("MustBeClosedChecker") // The reader closes the stream.
  public NpyReader array(String name) {
    ZipMember member = member(name);
    String what = "array '%s'".formatted(Printable.of(name));
    try {
      return new NpyReader(
          path, what, zip.stream(member), member.size(), Integer.toUnsignedLong(member.crc()));
    } catch (IOException e) {
      throw new FileException(
          path, "%s cannot be read: %s".formatted(what, AtomicFile.reason(e)), e);
    }
  }

  /**
   * Returns the CRC-32 of an array in the directory.
   *
   * @param name without {@code .npy}
   * @throws FileException if there is no array with that name
   */
  public long checksum(String name) {
    return Integer.toUnsignedLong(member(name).crc());
  }

  private ZipMember member(String name) {
    ZipMember member = members.get(name + SUFFIX);
    if (member == null) {
      String found = list(names());
      throw new FileException(
          path, "has no array '%s', only: %s".formatted(name, found.isEmpty() ? "none" : found));
    }
    return member;
  }

  /** Closes the file and all readers opened from it. */
  @Override
  public void close() {
    zip.close();
  }

  /** Returns the first ten of some names from a file, in one sanitized line. */
  public static String list(List<String> names) {
    return String.join(", ", names.stream().limit(10).map(Printable::of).toList());
  }
}
