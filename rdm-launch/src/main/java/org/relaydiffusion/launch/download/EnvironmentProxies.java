// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.download;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;

/**
 * The proxies given by {@code https_proxy}, {@code http_proxy} and {@code no_proxy}, interpreted as
 * in curl and Python; otherwise Java's own ({@code -Dhttps.proxyHost}).
 */
final class EnvironmentProxies extends ProxySelector {
  private static final Pattern PROXY =
      Pattern.compile("(?:http://)?(\\[[0-9a-fA-F:.]+]|[^:/@\\[\\]]+):(\\d{1,5})/?");
  private static final int HIGHEST_PORT = 65535;

  private final Map<String, String> environment;
  private final @Nullable ProxySelector otherwise;

  EnvironmentProxies(Map<String, String> environment) {
    this(environment, ProxySelector.getDefault());
  }

  EnvironmentProxies(Map<String, String> environment, @Nullable ProxySelector otherwise) {
    this.environment = environment;
    this.otherwise = otherwise;
  }

  @Override
  public List<Proxy> select(URI address) {
    String scheme = address.getScheme().toLowerCase(Locale.ROOT);
    Optional<String> name =
        Stream.of(scheme + "_proxy", scheme.toUpperCase(Locale.ROOT) + "_PROXY")
            // A web server may set HTTP_PROXY from the header "Proxy" of a request.
            .filter(variable -> !variable.equals("HTTP_PROXY"))
            .filter(variable -> !environment.getOrDefault(variable, "").isBlank())
            .findFirst();
    if (name.isEmpty()) {
      return otherwise == null ? List.of(Proxy.NO_PROXY) : otherwise.select(address);
    }
    return List.of(
        isDirect(address.getHost())
            ? Proxy.NO_PROXY
            : proxy(name.get(), Objects.requireNonNull(environment.get(name.get())).strip()));
  }

  private boolean isDirect(String host) {
    String list = environment.getOrDefault("no_proxy", environment.getOrDefault("NO_PROXY", ""));
    String wanted = host.toLowerCase(Locale.ROOT);
    return Stream.of(list.toLowerCase(Locale.ROOT).split(","))
        .map(String::strip)
        .map(entry -> entry.startsWith(".") ? entry.substring(1) : entry)
        .filter(entry -> !entry.isEmpty())
        .anyMatch(
            entry -> entry.equals("*") || wanted.equals(entry) || wanted.endsWith("." + entry));
  }

  private static Proxy proxy(String variable, String value) {
    Matcher matcher = PROXY.matcher(value);
    int port = matcher.matches() ? Integer.parseInt(matcher.group(2)) : 0;
    if (port < 1 || port > HIGHEST_PORT) {
      // The value may contain a password.
      throw new OptionException(
          "the environment variable %s must be http://HOST:PORT, without a user name or password"
              .formatted(variable));
    }
    return new Proxy(Proxy.Type.HTTP, new InetSocketAddress(matcher.group(1), port));
  }

  @Override
  public void connectFailed(URI address, SocketAddress proxy, IOException e) {
    // The exception of the download reports it.
  }
}
