// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.data;

import java.io.File;
import java.io.IOException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;

/**
 * Lists the images of a folder and its subfolders. Symbolic links to files and folders are
 * followed; a link to a folder that contains it is skipped.
 */
final class FolderListing extends SimpleFileVisitor<Path> {
  /** The limit for folders that link to one another, which could be visited in too many ways. */
  private static final int MOST_VISITS = 1000;

  private final Path folder;
  private final List<String> pictures = new ArrayList<>();
  private final Map<Object, Integer> visits = new HashMap<>();
  private final LeftOut.Counter counter = new LeftOut.Counter();
  private int files;

  private FolderListing(Path folder) {
    this.folder = folder;
  }

  /**
   * Lists a folder.
   *
   * @throws FileException naming the folder that cannot be listed, or that links lead to repeatedly
   */
  static FolderListing of(Path folder) {
    FolderListing listing = new FolderListing(folder);
    try {
      Files.walkFileTree(
          folder, EnumSet.of(FileVisitOption.FOLLOW_LINKS), Integer.MAX_VALUE, listing);
    } catch (IOException e) {
      throw FolderSource.unreadable(folder, e);
    }
    return listing;
  }

  /** Returns the names, with slashes, in no particular order. */
  List<String> pictures() {
    return pictures;
  }

  int files() {
    return files;
  }

  LeftOut leftOut() {
    return counter.count();
  }

  @Override
  public FileVisitResult preVisitDirectory(Path entered, BasicFileAttributes attributes) {
    Object key = attributes.fileKey();
    if (key != null && visits.merge(key, 1, Integer::sum) > MOST_VISITS) {
      throw new FileException(
          entered, "is reached through symbolic links in more than %s ways".formatted(MOST_VISITS));
    }
    return FileVisitResult.CONTINUE;
  }

  @Override
  public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
    // Not a pipe or a device, which may never end; a broken link fails when it is read.
    if (attributes.isRegularFile() || attributes.isSymbolicLink()) {
      files++;
      String name = folder.relativize(file).toString().replace(File.separatorChar, '/');
      if (PictureNames.isPicture(name) && counter.keeps(name)) {
        pictures.add(name);
      }
    }
    return FileVisitResult.CONTINUE;
  }

  @Override
  public FileVisitResult visitFileFailed(Path file, IOException e) {
    if (e instanceof FileSystemLoopException) {
      counter.loop();
      return FileVisitResult.CONTINUE;
    }
    throw FolderSource.unreadable(file, e);
  }

  @Override
  public FileVisitResult postVisitDirectory(Path left, @Nullable IOException e) {
    if (e != null) {
      throw FolderSource.unreadable(left, e);
    }
    return FileVisitResult.CONTINUE;
  }
}
