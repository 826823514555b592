// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What lies in the cache has the jar's bytes, and could have been written by its user alone. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "owners and modes are those of POSIX")
class LibraryCacheTest {
  private static final String LIBRARY = "libsome.so.1";
  private static final byte[] CONTENT =
      "the bytes of a library".repeat(9000).getBytes(StandardCharsets.US_ASCII);
  private static final int ANOTHER_USER = 65533;

  @TempDir Path folder;
  private BundledFile library;
  private CacheFolder cache;
  private Path root;
  private Path file;

  @BeforeEach
  void aJarWithALibrary() throws IOException {
    Path jar = folder.resolve("some-1.0-linux.jar");
    try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
      out.putNextEntry(new JarEntry("org/some/" + LIBRARY));
      out.write(CONTENT);
      out.closeEntry();
    }
    library = BundledFile.of(URI.create("jar:" + jar.toUri() + "!/org/some/" + LIBRARY).toURL());
    cache = new CacheFolder(folder.resolve("home/.cache/rdm"), "HOME");
    root = cache.path().resolve("libtorch");
    file = root.resolve("some-1.0-linux").resolve(LIBRARY);
  }

  private Path unpack() {
    return LibraryCache.unpacked(library, cache);
  }

  private AbstractThrowableAssert<?, ? extends Throwable> assertRefused() {
    return assertThatThrownBy(this::unpack)
        .isInstanceOf(NativeLibraryException.class)
        .hasMessageEndingWith("; set RDM_CACHE=DIR to use another folder");
  }

  private static Object id(Path path) throws IOException {
    return Files.getAttribute(path, "unix:ino");
  }

  private static void mode(Path path, String permissions) throws IOException {
    Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
  }

  private Set<String> names() throws IOException {
    try (Stream<Path> files = Files.list(file.getParent())) {
      return files.map(f -> f.getFileName().toString()).collect(Collectors.toSet());
    }
  }

  @Test
  void aLibraryIsUnpackedOnceIntoAFolderOfItsUsersOwn() throws IOException {
    assertThat(unpack()).isEqualTo(file).hasBinaryContent(CONTENT);
    assertThat(names()).containsExactlyInAnyOrder(LIBRARY, LIBRARY + ".stamp");
    for (Path own : List.of(cache.path(), root, file.getParent())) {
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(own)))
          .isEqualTo("rwx------");
    }
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    Object before = id(file);
    assertThat(unpack()).isEqualTo(file);
    assertThat(id(file)).isEqualTo(before);
  }

  @Test
  void aFileOfOtherContentIsWrittenAnew() throws IOException {
    unpack();
    byte[] planted = CONTENT.clone();
    planted[planted.length - 1]++;
    FileTime modified = Files.getLastModifiedTime(file);
    Files.write(file, planted);
    Files.setLastModifiedTime(file, modified); // The time of its last change cannot be set.
    assertThat(unpack()).hasBinaryContent(CONTENT);
    Files.writeString(file, "cut short");
    assertThat(unpack()).hasBinaryContent(CONTENT);
  }

  @Test
  void aPlantedFileIsWrittenAnew() throws IOException {
    unpack();
    Files.delete(file);
    Files.delete(file.resolveSibling(LIBRARY + ".stamp"));
    Files.writeString(file, "planted");
    mode(file, "rw-r--r--");
    assertThat(unpack()).hasBinaryContent(CONTENT);
  }

  @Test
  void aCopyThatWasNotChangedIsComparedAndKept() throws IOException {
    unpack();
    Object before = id(file);
    mode(file, "r--------");
    assertThat(unpack()).hasBinaryContent(CONTENT);
    assertThat(id(file)).isEqualTo(before);
  }

  @Test
  void whatAKilledProcessLeftIsRemoved() throws IOException {
    unpack();
    Files.delete(file);
    Path old = Files.writeString(file.resolveSibling(LIBRARY + ".1-2-3.tmp"), "half");
    Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofHours(2))));
    // What is young may be that of a process that has waited for the lock long enough.
    Files.writeString(file.resolveSibling(LIBRARY + ".4-5-6.tmp"), "half");
    assertThat(unpack()).hasBinaryContent(CONTENT);
    assertThat(names())
        .containsExactlyInAnyOrder(LIBRARY, LIBRARY + ".stamp", LIBRARY + ".4-5-6.tmp");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "some-1.0-linux", "some-1.0-linux/libsome.so.1"})
  void whatOthersMayWriteToIsRefused(String what) throws IOException {
    unpack();
    Path at = root.resolve(what);
    for (String permissions : List.of("rwxrwx---", "rwx----w-")) {
      mode(at, permissions);
      assertRefused()
          .hasMessageStartingWith(at + ": expected a f")
          .hasMessageContaining("that no other user can write to, found user ");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "some-1.0-linux",
        "some-1.0-linux/libsome.so.1",
        "some-1.0-linux/libsome.so.1.stamp"
      })
  void whatBelongsToAnotherUserIsRefused(String what) throws IOException {
    assumeTrue(Ownership.user().orElse(-1) == 0, "only root can make another user's file");
    unpack();
    Path at = root.resolve(what);
    Files.setAttribute(at, "unix:uid", ANOTHER_USER);
    assertRefused()
        .hasMessageStartingWith(at + ": expected a f")
        .hasMessageContaining("of user 0 that no other user can write to, found user 65533, mode ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "some-1.0-linux", "some-1.0-linux/libsome.so.1"})
  void aLinkIsRefused(String what) throws IOException {
    unpack();
    Path at = root.resolve(what);
    Path moved = Files.move(at, folder.resolve("moved"));
    Files.createSymbolicLink(at, moved);
    assertRefused()
        .hasMessageContaining(at + ": expected a f")
        .hasMessageContaining("symbolic link");
    Files.delete(at);
  }

  @Test
  void aFolderAboveThatAnybodyCanChangeIsRefusedUnlessItIsSticky() throws IOException {
    unpack();
    Path above = folder.resolve("home");
    mode(above, "rwxrwxrwx");
    assertRefused()
        .hasMessageStartingWith(above + ": other users can replace files in this folder (user ");
    Files.setAttribute(above, "unix:mode", 01777);
    assertThat(unpack()).isEqualTo(file);
  }

  @Test
  void aFolderAboveOfAnotherUserOrGroupIsRefused() throws IOException {
    assumeTrue(Ownership.user().orElse(-1) == 0, "only root can make another user's folder");
    unpack();
    Path above = folder.resolve("home");
    mode(above, "rwxrwxr-x");
    assertThat(unpack()).as("of root's own group").isEqualTo(file);
    Files.setAttribute(above, "unix:gid", ANOTHER_USER);
    assertRefused()
        .hasMessageStartingWith(above + ": other users can replace files in this folder (user 0");
    mode(above, "rwxr-xr-x");
    assertThat(unpack()).isEqualTo(file);
    Files.setAttribute(above, "unix:uid", ANOTHER_USER);
    assertRefused()
        .hasMessageStartingWith(
            above + ": another user can replace files in this folder (user 65533");
  }

  @Test
  void theUsersOwnLinkAboveIsFollowedAndCheckedToo() throws IOException {
    Path elsewhere = Files.createDirectories(folder.resolve("open/scratch"));
    Files.createDirectories(folder.resolve("home"));
    Path link = Files.createSymbolicLink(folder.resolve("home/.cache"), elsewhere);
    assertThat(unpack()).hasBinaryContent(CONTENT);
    mode(folder.resolve("open"), "rwxrwxrwx");
    assertRefused()
        .hasMessageStartingWith(folder.resolve("open").toRealPath() + ": other users can");
    Files.delete(link);
  }

  @Test
  void aFolderThatCannotBeMadeIsNamedWithTheReason() throws IOException {
    Files.createDirectories(folder.resolve("home"));
    Files.writeString(folder.resolve("home/.cache"), "a file");
    assertRefused().hasMessageStartingWith(cache.path() + " cannot be created: ");
  }

  @Test
  void aFileThatCannotBeWrittenIsNamedWithItsFolderAndTheReason() throws IOException {
    unpack();
    Files.delete(file);
    Files.createDirectories(file.resolve("in the way"));
    assertRefused().hasMessageStartingWith(file + ": expected a file");
  }

  @Test
  void platformsHaveTheArtifactsNames() {
    assertThat(Platform.name("Linux", "amd64")).isEqualTo("linux-x86_64");
    assertThat(Platform.name("Mac OS X", "aarch64")).isEqualTo("macosx-arm64");
    assertThat(Platform.name("Windows 11", "amd64")).isEqualTo("windows-x86_64");
  }
}
