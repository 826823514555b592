// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.io.IOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.OptionalInt;
import org.relaydiffusion.io.AtomicFile;

/**
 * Checks the owner and permissions of files before code is loaded from them. On systems without
 * owners and modes (Windows), every file is accepted.
 */
final class Ownership {
  private static final int GROUP_OR_OTHERS_WRITE = 0022;
  private static final int GROUP_WRITE = 0020;
  private static final int OTHERS_WRITE = 0002;
  private static final int STICKY = 01000;
  private static final int PERMISSIONS = 07777;
  private static final int ROOT = 0;

  private Ownership() {}

  /** The permissions of a new private folder. */
  static FileAttribute<?>[] privateFolder(Path where) {
    return attributes(where, "rwx------");
  }

  /** The permissions of a new private file. */
  static FileAttribute<?>[] privateFile(Path where) {
    return attributes(where, "rw-------");
  }

  private static FileAttribute<?>[] attributes(Path where, String permissions) {
    return has(where, "posix")
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
        }
        : new FileAttribute<?>[0];
  }

  /**
   * Accepts a folder that is not a link, belongs to the user of this process, and is not writable
   * by others.
   *
   * @throws NativeLibraryException naming the folder, what was expected and what was found
   */
  static void checkFolder(Path folder) {
    check(folder, "folder", Files.isDirectory(folder, LinkOption.NOFOLLOW_LINKS));
  }

  /** Accepts a regular file as {@link #checkFolder}. */
  static void checkFile(Path file) {
    check(file, "file", Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS));
  }

  private static void check(Path path, String kind, boolean isOfKind) {
    if (!isOfKind) {
      throw new NativeLibraryException(
          "%s: expected a %s, found %s"
              .formatted(path, kind, Files.isSymbolicLink(path) ? "a symbolic link" : "another"));
    }
    OptionalInt user = user();
    if (user.isEmpty() || !has(path, "unix")) {
      return;
    }
    Facts facts = Facts.of(path, LinkOption.NOFOLLOW_LINKS);
    if (facts.owner != user.getAsInt() || (facts.mode & GROUP_OR_OTHERS_WRITE) != 0) {
      throw new NativeLibraryException(
          "%s: expected a %s of user %s that no other user can write to, found %s"
              .formatted(path, kind, user.getAsInt(), facts));
    }
  }

  /**
   * Accepts the folders from {@code folder} upwards if no user except root can rename entries in
   * any of them: each must belong to root or this user, and must be sticky if others may write to
   * it. A group may write to a folder if it is the private group of its owner, as on systems that
   * give each user a group with the same name.
   *
   * @param folder an absolute path; links in it are followed
   * @throws NativeLibraryException naming the folder at fault
   */
  static void checkAbove(Path folder) {
    OptionalInt user = user();
    if (user.isEmpty() || !has(folder, "unix")) {
      return;
    }
    for (Path at = folder; at != null; at = at.getParent()) {
      Facts facts = Facts.of(at);
      if (facts.owner != ROOT && facts.owner != user.getAsInt()) {
        throw new NativeLibraryException(
            "%s: another user can replace files in this folder (%s)".formatted(at, facts));
      }
      boolean isSticky = (facts.mode & STICKY) != 0;
      boolean isOpen =
          (facts.mode & OTHERS_WRITE) != 0
              || ((facts.mode & GROUP_WRITE) != 0 && !hasGroupOfItsOwner(at));
      if (isOpen && !isSticky) {
        throw new NativeLibraryException(
            "%s: other users can replace files in this folder (%s)".formatted(at, facts));
      }
    }
  }

  private static boolean hasGroupOfItsOwner(Path folder) {
    try {
      PosixFileAttributes attributes = Files.readAttributes(folder, PosixFileAttributes.class);
      return attributes.group().getName().equals(attributes.owner().getName());
    } catch (IOException e) {
      throw unreadable(folder, e);
    }
  }

  private static NativeLibraryException unreadable(Path path, IOException e) {
    return new NativeLibraryException(
        "%s cannot be examined: %s".formatted(path, AtomicFile.reason(e)), e);
  }

  private record Facts(int owner, int mode) {
    static Facts of(Path path, LinkOption... options) {
      try {
        return new Facts(
            (int) Files.getAttribute(path, "unix:uid", options),
            (int) Files.getAttribute(path, "unix:mode", options));
      } catch (IOException e) {
        throw unreadable(path, e);
      }
    }

    @Override
    public String toString() {
      return "user %s, mode %s".formatted(owner, Integer.toOctalString(mode & PERMISSIONS));
    }
  }

  private static boolean has(Path path, String view) {
    return path.getFileSystem().supportedFileAttributeViews().contains(view);
  }

  /** Returns the effective user id of this process, if the system has such ids. */
  static OptionalInt user() {
    return Linker.nativeLinker()
        .defaultLookup()
        .find("geteuid")
        .map(f ->
            OptionalInt.of((int) Downcall.call(f, FunctionDescriptor.of(ValueLayout.JAVA_INT))))
        .orElse(OptionalInt.empty());
  }
}
