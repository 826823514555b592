// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch;

import org.relaydiffusion.launch.command.BuildVersion;
import picocli.CommandLine.IVersionProvider;

/** Provides the output of {@code --version}. */
final class Version implements IVersionProvider {
  @Override
  public String[] getVersion() {
    return new String[] {
      "%s (Java %s)".formatted(BuildVersion.text(), System.getProperty("java.version"))
    };
  }
}
