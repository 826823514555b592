// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.extension;

import java.util.List;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.model.PreconditionerKind;
import org.relaydiffusion.model.Setting;

/** The class {@code ToyPrecond}. */
public final class ToyPreconditionerKind implements PreconditionerKind {
  @Override
  public String className() {
    return "ToyPrecond";
  }

  @Override
  public String defaultArchitecture() {
    return "ToyNet";
  }

  @Override
  public List<Setting> settings() {
    return List.of(Setting.real("gain", 1, 0, 10));
  }

  @Override
  public Preconditioner make(ModelConfig config) {
    return new ToyPreconditioner(config);
  }
}
