// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.extension;

import java.util.List;
import org.relaydiffusion.model.Setting;
import org.relaydiffusion.model.unet.Architecture;
import org.relaydiffusion.model.unet.NetworkConfig;
import org.relaydiffusion.model.unet.UNet;

/** The network {@code model_type="ToyNet"}. */
public final class ToyArchitecture implements Architecture {
  @Override
  public String className() {
    return "ToyNet";
  }

  @Override
  public List<Setting> settings() {
    return List.of(Setting.whole("width", 8, 4, 1024));
  }

  @Override
  public UNet make(NetworkConfig config) {
    return new ToyNet(config);
  }
}
