// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.download;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.URI;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.relaydiffusion.OptionException;

class EnvironmentProxiesTest {
  private static String proxy(Map<String, String> environment, String address) {
    Proxy proxy = new EnvironmentProxies(environment, null).select(URI.create(address)).getFirst();
    return proxy.address() instanceof InetSocketAddress at
        ? at.getHostString() + ":" + at.getPort()
        : "none";
  }

  @Test
  void eachSchemeHasItsVariable() {
    Map<String, String> environment =
        Map.of("https_proxy", "http://secure.invalid:3128/", "http_proxy", "plain.invalid:80");

    assertThat(proxy(environment, "https://host/a")).isEqualTo("secure.invalid:3128");
    assertThat(proxy(environment, "http://host/a")).isEqualTo("plain.invalid:80");
    assertThat(proxy(Map.of(), "https://host/a")).isEqualTo("none");
  }

  @Test
  void capitalsAreReadTooButNotWhereARequestCouldSetThem() {
    assertThat(proxy(Map.of("HTTPS_PROXY", "p.invalid:1"), "https://host/a"))
        .isEqualTo("p.invalid:1");
    assertThat(proxy(Map.of("HTTP_PROXY", "p.invalid:1"), "http://host/a")).isEqualTo("none");
  }

  @ParameterizedTest
  @CsvSource({
    "host.example, none",
    "a.host.example, none",
    "otherhost.example, p.invalid:1",
    "data.local, none",
    "local, none"
  })
  void hostsOfNoProxyAreReachedDirectly(String host, String expected) {
    Map<String, String> environment =
        Map.of("http_proxy", "p.invalid:1", "no_proxy", "host.example, .local");

    assertThat(proxy(environment, "http://%s/a".formatted(host))).isEqualTo(expected);
  }

  @Test
  void aStarIsEveryHost() {
    assertThat(proxy(Map.of("http_proxy", "p.invalid:1", "NO_PROXY", "*"), "http://host/a"))
        .isEqualTo("none");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"host", "host:0", "host:99999", "socks5://host:1", "http://me:secret@host:1"})
  void whatIsNoProxyIsRefusedAndNotShown(String value) {
    assertThatThrownBy(() -> proxy(Map.of("http_proxy", value), "http://host/a"))
        .isInstanceOf(OptionException.class)
        .hasMessage(
            "the environment variable http_proxy must be http://HOST:PORT, without a user name or"
                + " password");
  }
}
