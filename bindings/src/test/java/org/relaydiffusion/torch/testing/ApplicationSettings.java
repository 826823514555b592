// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.torch.testing;

import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.relaydiffusion.nativeconfig.LibTorch;
import org.relaydiffusion.nativeconfig.Settings;

/**
 * Tests load LibTorch as {@code rdm} does, so that several test processes on one machine leave the
 * cores to each other. Registered for every test of every module through {@code META-INF/services}.
 */
public final class ApplicationSettings implements BeforeAllCallback {
  @Override
  public void beforeAll(ExtensionContext context) {
    LibTorch.configure(Settings.APPLICATION);
  }
}
