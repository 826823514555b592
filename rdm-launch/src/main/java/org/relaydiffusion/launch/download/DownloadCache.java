// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.download;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import org.relaydiffusion.launch.command.FileLocation;
import org.relaydiffusion.nativeconfig.CacheFolder;

/**
 * The location of downloaded files: {@code downloads} in the user's cache folder, with one folder
 * per file, which is named after its full URL.
 *
 * @param folder the folder of all downloads; need not exist
 */
record DownloadCache(Path folder) {
  private static final String NAME = "downloads";
  private static final int DIGEST_BYTES = 12;
  private static final int LONGEST_NAME = 100;

  /**
   * Returns the user's cache.
   *
   * @param environment the variables of the process
   * @throws org.relaydiffusion.RdmException if no cache folder can be determined
   */
  static DownloadCache of(Map<String, String> environment) {
    return new DownloadCache(
        CacheFolder.choose(System.getProperties(), environment).path().resolve(NAME));
  }

  /** Returns the local file for a location. */
  Path file(FileLocation location) {
    return switch (location) {
      case FileLocation.Local(Path path) -> path;
      case FileLocation.Remote(URI address) ->
          folder.resolve(digest(address)).resolve(name(address));
    };
  }

  private static String digest(URI address) {
    try {
      byte[] sum =
          MessageDigest.getInstance("SHA-256")
              .digest(address.toString().getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(sum, 0, DIGEST_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is not available", e);
    }
  }

  /** Returns the last part of the URL, shortened to what every file system accepts. */
  private static String name(URI address) {
    String path = address.getPath() == null ? "" : address.getPath();
    String last = path.substring(path.lastIndexOf('/') + 1).replaceAll("[^A-Za-z0-9._-]", "_");
    String visible = last.replaceFirst("^\\.+", "");
    String name = visible.isEmpty() ? "file" : visible;
    // The extension determines the kind of file.
    return name.substring(Math.max(0, name.length() - LONGEST_NAME));
  }
}
