package org.relaydiffusion.launch.command;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.Locale;
import org.relaydiffusion.OptionException;

/** Where a file is: on this machine, or at an address from which it can be downloaded. */
public sealed interface FileLocation {
  /** A file of this machine. */
  record Local(Path path) implements FileLocation {
    @Override
    public String toString() {
      return path.toString();
    }
  }

  /**
   * A file of a web server.
   *
   * @param address with the scheme {@code http} or {@code https}
   */
  record Remote(URI address) implements FileLocation {
    /** The address without its query, which may hold a signature that opens the file to anyone. */
    @Override
    public String toString() {
      String text = address.toString();
      int end = text.indexOf('?');
      return end < 0 ? text : text.substring(0, end);
    }
  }

  /**
   * Reads a path, or an address that begins with {@code http://} or {@code https://}.
   *
   * @throws OptionException when it is neither
   */
  static FileLocation parse(String text) {
    String start = text.toLowerCase(Locale.ROOT);
    if (!start.startsWith("http://") && !start.startsWith("https://")) {
      return new Local(FileNames.path(text));
    }
    try {
      URI address = new URI(text);
      if (address.getHost() == null) {
        throw new OptionException(
            "'%s' is not the address of a file: it has no host".formatted(text));
      }
      if (address.getUserInfo() != null) {
        throw new OptionException(
            "an address must not hold a user's name or password: they would be recorded");
      }
      String plain = text.indexOf('#') < 0 ? text : text.substring(0, text.indexOf('#'));
      return new Remote(new URI(plain));
    } catch (URISyntaxException e) {
      throw new OptionException(
          "'%s' is not the address of a file: %s".formatted(text, e.getReason()));
    }
  }
}
