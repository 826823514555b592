// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

/** Which folder libraries are unpacked in: what the user says, else what the system has for it. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "paths are those of POSIX")
class CacheFolderTest {
  private static CacheFolder on(String os, Map<String, String> environment, String... properties) {
    Properties all = new Properties();
    all.setProperty("os.name", os);
    // Neither may ever be taken: another user can be first there.
    all.setProperty("java.io.tmpdir", "/tmp");
    all.setProperty("user.home", "?");
    for (int i = 0; i < properties.length; i += 2) {
      all.setProperty(properties[i], properties[i + 1]);
    }
    return CacheFolder.choose(all, environment);
  }

  @Test
  void theUsersChoiceComesFirst() {
    Map<String, String> all =
        Map.of("RDM_CACHE", "/variable", "XDG_CACHE_HOME", "/xdg", "HOME", "/home/u");
    String javaCpp = CacheFolder.JAVACPP_PROPERTY;
    assertThat(on("Linux", all, "rdm.cache", "/property", javaCpp, "/javacpp"))
        .isEqualTo(new CacheFolder(Path.of("/property"), "-Drdm.cache=/property"));
    assertThat(on("Linux", all, javaCpp, "/javacpp"))
        .isEqualTo(new CacheFolder(Path.of("/variable"), "RDM_CACHE=/variable"));
    assertThat(on("Linux", Map.of("HOME", "/home/u"), javaCpp, "/javacpp").path())
        .isEqualTo(Path.of("/javacpp"));
  }

  @Test
  void elseItIsWhereTheSystemKeepsCaches() {
    Map<String, String> home = Map.of("HOME", "/home/u");
    assertThat(on("Linux", home)).isEqualTo(new CacheFolder(Path.of("/home/u/.cache/rdm"), "HOME"));
    assertThat(on("Mac OS X", home).path()).isEqualTo(Path.of("/home/u/Library/Caches/rdm"));
    assertThat(on("Windows 11", Map.of("LOCALAPPDATA", "/local")).path())
        .isEqualTo(Path.of("/local/rdm"));
    assertThat(on("Linux", Map.of("HOME", "/home/u", "XDG_CACHE_HOME", "/xdg")).path())
        .isEqualTo(Path.of("/xdg/rdm"));
    assertThat(on("Linux", Map.of("HOME", "/home/u", "XDG_CACHE_HOME", "relative")).path())
        .isEqualTo(Path.of("/home/u/.cache/rdm"));
  }

  @Test
  void withoutAHomeTheOptionsAreNamed() {
    assertThatThrownBy(() -> on("Linux", Map.of()))
        .isInstanceOf(NativeLibraryException.class)
        .hasMessageContaining("neither XDG_CACHE_HOME nor HOME is an absolute path")
        .hasMessageContaining("RDM_CACHE=DIR or -Drdm.cache=DIR");
    assertThatThrownBy(() -> on("Linux", Map.of("HOME", "relative")))
        .hasMessageContaining("RDM_CACHE=DIR");
  }

  @Test
  void aFolderBelowTheCurrentOneIsNotTaken() {
    assertThatThrownBy(() -> on("Linux", Map.of("RDM_CACHE", "cache", "HOME", "/home/u")))
        .hasMessage("RDM_CACHE=cache: expected the absolute path of a folder");
    assertThatThrownBy(() -> on("Linux", Map.of(), "rdm.cache", "./cache"))
        .hasMessage("-Drdm.cache=./cache: expected the absolute path of a folder");
  }
}
