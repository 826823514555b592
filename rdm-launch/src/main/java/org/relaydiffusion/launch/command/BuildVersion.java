// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.command;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The version of this build. */
public final class BuildVersion {
  private static final String RESOURCE = "/org/relaydiffusion/launch/version.properties";

  private BuildVersion() {}

  /** Returns the name and version, such as {@code rdm 0.1.0}. */
  public static String text() {
    Properties properties = new Properties();
    try (InputStream in = BuildVersion.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException(RESOURCE + " is missing beside " + BuildVersion.class);
      }
      properties.load(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return "rdm " + properties.getProperty("version");
  }
}
