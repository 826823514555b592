// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;

/**
 * A library inside a jar.
 *
 * @param url of the library
 * @param name of its file
 * @param jar the name of the jar, without extension
 * @param bytes its length
 * @param crc its CRC-32, from the directory of the jar
 */
record BundledFile(URL url, String name, String jar, long bytes, long crc) {
  /**
   * Finds the library in the directory of its jar.
   *
   * @param url with the protocol {@code jar}
   */
  static BundledFile of(URL url) throws IOException {
    JarURLConnection connection = connection(url);
    try (JarFile _ = connection.getJarFile()) {
      JarEntry entry = connection.getJarEntry();
      if (entry == null || entry.getSize() < 0 || entry.getCrc() < 0) {
        throw new FileNotFoundException(url + " has no length");
      }
      return new BundledFile(
          url,
          lastPart(entry.getName()),
          fileName(lastPart(connection.getJarFileURL().getPath())),
          entry.getSize(),
          entry.getCrc());
    }
  }

  /** Opens its content. */
  InputStream open() throws IOException {
    return connection(url).getInputStream();
  }

  // Without caching, so that the jar is closed with the stream.
  private static JarURLConnection connection(URL url) throws IOException {
    if (url.openConnection() instanceof JarURLConnection connection) {
      connection.setUseCaches(false);
      return connection;
    }
    throw new IOException(url + " is not in a jar");
  }

  private static String lastPart(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  private static String fileName(String jar) {
    return jar.replaceFirst("\\.jar$", "").replaceAll("[^A-Za-z0-9._-]", "_");
  }
}
