// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.rank;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.relaydiffusion.OptionException;

/**
 * The address of a store.
 *
 * @param address host name or IP address
 * @param port 1 to 65535
 */
public record Endpoint(String address, int port) {
  /** The default port of torchrun. */
  public static final int DEFAULT_PORT = 29500;

  /** This host, for ranks that are all on it. */
  public static final Endpoint LOCAL = new Endpoint("127.0.0.1", DEFAULT_PORT);

  private static final int HIGHEST_PORT = 65535;
  private static final Pattern NAME_AND_PORT =
      Pattern.compile("(?:\\[([^\\]]+)\\]|([^:\\[\\]]+))(?::(\\d+))?");

  /**
   * Checks both values.
   *
   * @throws OptionException if the address is empty or the port is out of range
   */
  public Endpoint {
    if (address.isBlank()) {
      throw new OptionException("the address of the rendezvous is empty");
    }
    if (port < 1 || port > HIGHEST_PORT) {
      throw new OptionException(
          "the port of the rendezvous must be 1 to %s, but is %s".formatted(HIGHEST_PORT, port));
    }
  }

  /**
   * Parses {@code host}, {@code host:port}, {@code [v6 address]} or {@code [v6 address]:port}.
   *
   * @param what the beginning of the error message, such as an option name
   * @param text the text to parse
   * @return the endpoint, with {@link #DEFAULT_PORT} if the text has no port
   * @throws OptionException if it is none of these
   */
  public static Endpoint parse(String what, String text) {
    Matcher matcher = NAME_AND_PORT.matcher(text.strip());
    if (!matcher.matches()) {
      throw new OptionException(
          "%s must be host:port, as in node0:29500 or [fd00::1]:29500, but is '%s'"
              .formatted(what, text));
    }
    String host = matcher.group(1) == null ? matcher.group(2) : matcher.group(1);
    String port = matcher.group(3);
    return new Endpoint(host, port == null ? DEFAULT_PORT : port(what, port));
  }

  /**
   * Parses a port.
   *
   * @param what the beginning of the error message, such as a variable name
   * @param text the text to parse
   * @throws OptionException if it is not a number from 1 to 65535
   */
  public static int port(String what, String text) {
    int port = text.strip().matches("\\d{1,5}") ? Integer.parseInt(text.strip()) : 0;
    if (port < 1 || port > HIGHEST_PORT) {
      throw new OptionException(
          "%s must be a port from 1 to %s, but is '%s'".formatted(what, HIGHEST_PORT, text));
    }
    return port;
  }

  /** Returns the form {@code node0:29500}. */
  @Override
  public String toString() {
    return (address.contains(":") ? "[%s]:%s" : "%s:%s").formatted(address, port);
  }
}
