// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Locale;
import org.relaydiffusion.OptionException;

/** The location of a file: a local path, or a URL from which it can be downloaded. */
public sealed interface FileLocation {
  /** A local file. */
  record Local(Path path) implements FileLocation {
    @Override
    public String toString() {
      return path.toString();
    }
  }

  /**
   * A file on a web server.
   *
   * @param address a URL with the scheme {@code http} or {@code https}
   */
  record Remote(URI address) implements FileLocation {
    /** Returns the URL without its query, which may contain a signature that grants access. */
    @Override
    public String toString() {
      String text = address.toString();
      int end = text.indexOf('?');
      return end < 0 ? text : text.substring(0, end);
    }
  }

  /**
   * Parses a path, or a URL that begins with {@code http://} or {@code https://}.
   *
   * @throws OptionException if it is neither
   */
  static FileLocation parse(String text) {
    String start = text.toLowerCase(Locale.ROOT);
    if (!start.startsWith("http://") && !start.startsWith("https://")) {
      return new Local(FileNames.path(text));
    }
    try {
      URI address = new URI(text);
      if (address.getHost() == null) {
        throw new OptionException("'%s' is not a valid URL: it has no host".formatted(text));
      }
      if (address.getUserInfo() != null) {
        throw new OptionException(
            "a URL must not contain a user name or password, because they would be recorded");
      }
      String plain = text.indexOf('#') < 0 ? text : text.substring(0, text.indexOf('#'));
      return new Remote(new URI(plain));
    } catch (URISyntaxException e) {
      throw new OptionException("'%s' is not a valid URL: %s".formatted(text, e.getReason()));
    }
  }
}
