// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.nativeconfig;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URL;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.regex.Pattern;

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
  private static final Pattern LIBRARY = Pattern.compile(".+\\.(so(\\.[^/]+)?|dylib|dll)");

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

  /**
   * Finds all libraries in the folder of a jar, except those of JNI, which are asked for by name.
   *
   * @param url of one of them, with the protocol {@code jar}
   */
  static List<BundledFile> besides(URL url) throws IOException {
    JarURLConnection connection = connection(url);
    String entry = connection.getEntryName();
    String folder = entry.substring(0, entry.lastIndexOf('/') + 1);
    List<URL> found = new ArrayList<>();
    try (JarFile jar = connection.getJarFile()) {
      for (JarEntry file : jar.stream().toList()) {
        String name = lastPart(file.getName());
        boolean here = file.getName().equals(folder + name);
        if (here && LIBRARY.matcher(name).matches() && !name.matches("(lib)?jni.*")) {
          found.add(
              URI.create("jar:" + connection.getJarFileURL() + "!/" + file.getName()).toURL());
        }
      }
    }
    List<BundledFile> files = new ArrayList<>();
    for (URL file : found) {
      files.add(of(file));
    }
    return List.copyOf(files);
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
