package org.relaydiffusion.metrics.npy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;
import org.relaydiffusion.io.LfsPointer;

/**
 * The named arrays of an .npz file, as {@code np.savez} (stored) and {@code np.savez_compressed}
 * (deflated) write them, Zip64 included. Opening reads the zip's directory only.
 *
 * <p>{@link #close()} closes the file and every reader that it gave out.
 */
public final class NpzFile implements AutoCloseable {
  private static final String SUFFIX = ".npy";

  /** Deflate makes no more than 1032 bytes out of one. */
  private static final long LARGEST_RATIO = 1032;

  private final Path path;
  private final ZipFile zip;
  private final SequencedMap<String, ZipEntry> members;

  private NpzFile(Path path, ZipFile zip, SequencedMap<String, ZipEntry> members) {
    this.path = path;
    this.zip = zip;
    this.members = members;
  }

  /**
   * Opens a file.
   *
   * @throws FileException when it cannot be read, is not a zip, or claims a member larger than its
   *     bytes can be
   */
  @SuppressWarnings("MustBeClosedChecker") // The result owns it, and closes it.
  public static NpzFile open(Path path) {
    refuseOthers(path);
    ZipFile zip;
    try {
      zip = InputFile.zip(path);
    } catch (IOException e) {
      throw new FileException(path, "cannot be read as an .npz file: " + AtomicFile.reason(e), e);
    }
    try {
      return new NpzFile(path, zip, members(path, zip));
    } catch (RuntimeException e) {
      closeQuietly(zip);
      throw e;
    }
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

  private static SequencedMap<String, ZipEntry> members(Path path, ZipFile zip) {
    SequencedMap<String, ZipEntry> members = new LinkedHashMap<>();
    for (ZipEntry entry : Collections.list(zip.entries())) {
      String name = Printable.of(entry.getName());
      boolean possible =
          switch (entry.getMethod()) {
            case ZipEntry.STORED -> entry.getSize() == entry.getCompressedSize();
            case ZipEntry.DEFLATED -> entry.getSize() / LARGEST_RATIO <= entry.getCompressedSize();
            default -> false;
          };
      if (!possible || entry.getSize() < 0) {
        throw new FileException(
            path,
            "member '%s' claims %s bytes out of %s (method %s)"
                .formatted(name, entry.getSize(), entry.getCompressedSize(), entry.getMethod()));
      }
      if (members.put(entry.getName(), entry) != null) {
        throw new FileException(path, "has two members '%s'".formatted(name));
      }
    }
    return members;
  }

  /** What the archive's comment says; empty without one. */
  public String comment() {
    try {
      String comment = zip.getComment();
      return comment == null ? "" : comment;
    } catch (IllegalArgumentException e) {
      // Not in UTF-8: nothing that anybody here has written.
      return "";
    }
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
    ZipEntry entry = member(name);
    String what = "array '%s'".formatted(Printable.of(name));
    try {
      return new NpyReader(path, what, zip.getInputStream(entry), entry.getSize(), entry.getCrc());
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
    return member(name).getCrc();
  }

  private ZipEntry member(String name) {
    ZipEntry entry = members.get(name + SUFFIX);
    if (entry == null) {
      String found = list(names());
      throw new FileException(
          path, "has no array '%s', only: %s".formatted(name, found.isEmpty() ? "none" : found));
    }
    return entry;
  }

  /** Closes the file and what was opened from it. */
  @Override
  public void close() {
    closeQuietly(zip);
  }

  /** The first ten of some names from a file, in one line that is safe to print. */
  public static String list(List<String> names) {
    return String.join(", ", names.stream().limit(10).map(Printable::of).toList());
  }

  private static void closeQuietly(ZipFile zip) {
    try {
      zip.close();
    } catch (IOException e) {
      // Only read from: nothing is lost.
    }
  }
}
