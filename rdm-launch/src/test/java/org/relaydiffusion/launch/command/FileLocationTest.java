// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.OptionException;

class FileLocationTest {
  @ParameterizedTest
  @ValueSource(strings = {"a.pkl", "/x/http/a.pkl", "http", "https:/one-slash", "ftp://x/a.pkl"})
  void whatIsNoWebAddressIsAPath(String text) {
    assertThat(FileLocation.parse(text)).isEqualTo(new FileLocation.Local(Path.of(text)));
  }

  @Test
  void anAddressIsKeptWholeAndShownWithoutItsQuery() {
    FileLocation location = FileLocation.parse("HTTPS://host:8443/a%20b/c.pkl?sig=1#part");

    assertThat(location)
        .isEqualTo(new FileLocation.Remote(URI.create("HTTPS://host:8443/a%20b/c.pkl?sig=1")))
        .hasToString("HTTPS://host:8443/a%20b/c.pkl");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "https:///a.pkl | it has no host",
        "http://host/a b.pkl | Illegal character in path",
        "https://me:secret@host/a.pkl | must not contain a user name or password"
      })
  void whatIsNoAddressIsRefused(String text, String message) {
    assertThatThrownBy(() -> FileLocation.parse(text))
        .isInstanceOf(OptionException.class)
        .hasMessageContaining(message)
        .message()
        .doesNotContain("secret");
  }
}
