// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.InputFile;

/**
 * The hidden folder beside a target that contains its parts until they are joined. Each part is
 * written atomically, and a manifest describes the inputs of all parts. The folder is created with
 * the first part. Several processes may use it concurrently.
 */
final class PartsFolder {
  private static final String DESCRIPTION = "description.txt";
  private static final Pattern PART = Pattern.compile("part-(\\d{1,9})\\.npz");
  private static final String JOINED = "joined.npz";

  private final Path target;
  private final Path folder;
  private final Manifest manifest;

  PartsFolder(Path target, Manifest manifest) {
    this.target = target;
    this.folder = besides(target);
    this.manifest = manifest;
  }

  /** Returns the folder of the parts of a target. */
  static Path besides(Path target) {
    return target.resolveSibling(".%s.parts".formatted(target.getFileName()));
  }

  /** Returns the path of the part of chunk {@code chunk}. */
  Path part(int chunk) {
    return folder.resolve(String.format(Locale.ROOT, "part-%06d.npz", chunk));
  }

  /**
   * Rejects a target that cannot be written, before hours of work, and parts computed from other
   * inputs.
   */
  void check() {
    AtomicFile.checkWritable(target);
    Optional<Manifest> found = description();
    if (found.isPresent()) {
      checkSame(found.get());
    } else if (Files.exists(folder)) {
      try {
        if (!files("part-*").isEmpty()) {
          // Another process may have just created the folder; by now, its manifest exists.
          checkSame(
              description()
                  .orElseThrow(() ->
                      new FileException(
                          folder,
                          "contains parts without a manifest; --fresh discards" + " them")));
        }
      } catch (NoSuchFileException e) {
        // Another process has just joined them.
      } catch (IOException e) {
        throw unreadable(e);
      }
    }
  }

  /** Creates the folder with its manifest; called before each part is written. */
  void prepare() {
    if (description().isEmpty()) {
      byte[] text = manifest.text().getBytes(StandardCharsets.UTF_8);
      AtomicFile.write(folder.resolve(DESCRIPTION), out -> out.write(ByteBuffer.wrap(text)));
    }
    checkSame(description().orElse(manifest));
  }

  /** Returns the chunks that have a part. */
  BitSet present(Chunks chunks) {
    BitSet present = new BitSet(chunks.count());
    try {
      for (Path file : files("part-*.npz")) {
        Matcher name = PART.matcher(file.getFileName().toString());
        if (name.matches() && Integer.parseInt(name.group(1)) < chunks.count()) {
          present.set(Integer.parseInt(name.group(1)));
        }
      }
    } catch (NoSuchFileException e) {
      // No part has been written yet.
    } catch (IOException e) {
      throw unreadable(e);
    }
    return present;
  }

  /** Joins the parts. */
  @FunctionalInterface
  interface Joiner<T> {
    T writeTo(Path file);
  }

  /**
   * Writes the target from the parts, and deletes them.
   *
   * @throws RdmException naming the part that is damaged, or the target if it cannot be written
   */
  <T> T join(Joiner<T> joiner) {
    // Files left by a process that was killed while joining may be as large as the target.
    delete("." + JOINED + ".*");
    Path joined = folder.resolve(JOINED);
    T result;
    try {
      result = joiner.writeTo(joined);
    } catch (FileException e) {
      throw explained(e, joined);
    }
    try {
      Files.move(joined, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new FileException(target, "cannot be written: " + AtomicFile.reason(e), e);
    }
    discard();
    return result;
  }

  /** Adds to the message how to recover from a damaged part, or a target that cannot be written. */
  private RdmException explained(FileException e, Path joined) {
    String message = String.valueOf(e.getMessage());
    if (message.startsWith(folder.resolve("part-").toString())) {
      return new RdmException(message + "; delete it and run the same command again", e);
    }
    String prefix = joined + ": ";
    if (message.startsWith(prefix)) {
      // The user knows the target, not the name of its temporary file.
      String what = message.substring(prefix.length());
      return new FileException(
          target, what + "; the parts are kept: to resume, run the same command again", e);
    }
    return e;
  }

  /** Deletes all parts, if there are any. */
  void discard() {
    delete("{part-,.part-,joined,.joined}*");
    // The manifest is deleted last: parts without it are never mistaken for those of another run.
    delete("{description,.description}*");
    try {
      Files.deleteIfExists(folder);
    } catch (DirectoryNotEmptyException e) {
      // A late process is writing there: its parts are not deleted.
    } catch (IOException e) {
      throw new FileException(folder, "cannot be deleted: " + AtomicFile.reason(e), e);
    }
  }

  private void delete(String names) {
    try {
      for (Path file : files(names)) {
        Files.deleteIfExists(file);
      }
    } catch (NoSuchFileException e) {
      // The folder does not exist.
    } catch (IOException e) {
      throw new FileException(folder, "cannot be emptied: " + AtomicFile.reason(e), e);
    }
  }

  private List<Path> files(String names) throws IOException {
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, names)) {
      List<Path> list = new ArrayList<>();
      files.forEach(list::add);
      return list;
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
  }

  private Optional<Manifest> description() {
    Path file = folder.resolve(DESCRIPTION);
    try {
      return Optional.of(Manifest.parse(InputFile.text(file)));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  private void checkSame(Manifest found) {
    if (!found.equals(manifest)) {
      throw new FileException(
          target,
          ("%s contains parts of other inputs (%s): choose another --dest, or discard them with"
                  + " --fresh")
              .formatted(folder, manifest.differences(found)));
    }
  }

  private FileException unreadable(IOException e) {
    return e instanceof NotDirectoryException
        ? new FileException(folder, "is a file, but must be the folder of the parts", e)
        : new FileException(folder, "cannot be read: " + AtomicFile.reason(e), e);
  }
}
