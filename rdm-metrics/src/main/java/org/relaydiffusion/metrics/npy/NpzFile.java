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
 * The named arrays of an .npz file, as {@code np.savez} (stored) and {@code np.savez_compressed}
 * (deflated) write them, Zip64 included. Opening reads the zip's directory only.
 *
 * <p>{@link #close()} closes the file and every reader that it gave out.
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
   * @throws FileException when it cannot be read, is not a zip, or claims what it cannot hold
   */
  public static NpzFile open(Path path) {
    refuseOthers(path);
    return new NpzFile(path, ZipArchive.open(path));
  }

  /** Names what is often taken for an .npz file. */
  private static void refuseOthers(Path path) {
    if (NpyReader.isNpy(path)) {
      throw new FileException(
          path, "is an .npy file, a single array without a name: np.savez makes an .npz");
    }
    LfsPointer.in(path)
        .ifPresent(pointer -> {
          throw new FileException(path, pointer);
        });
  }

  /** What the archive's comment says; empty without one. */
  public String comment() {
    return zip.comment();
  }

  /** The arrays' names, without {@code .npy}, in the file's order. */
  public List<String> names() {
    return members.keySet().stream()
        .filter(n -> n.endsWith(SUFFIX))
        .map(n -> n.substring(0, n.length() - SUFFIX.length()))
        .toList();
  }

  /**
   * Opens one array, to be read from its beginning. Any number may be open at once.
   *
   * @param name without {@code .npy}
   * @throws FileException when there is none of that name, or for what {@link NpyReader#open} gives
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
   * The CRC-32 that the directory has for an array.
   *
   * @param name without {@code .npy}
   * @throws FileException when there is none of that name
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

  /** Closes the file and what was opened from it. */
  @Override
  public void close() {
    zip.close();
  }

  /** The first ten of some names from a file, in one line that is safe to print. */
  public static String list(List<String> names) {
    return String.join(", ", names.stream().limit(10).map(Printable::of).toList());
  }
}
