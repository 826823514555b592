// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.writing;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.relaydiffusion.model.layer.WeightInit;
import org.relaydiffusion.model.unet.OfficialUNet;

/** The initialization arguments of layers: names and gains. */
final class InitForm {
  private InitForm() {}

  /**
   * Returns the arguments for a layer of one of the two U-Nets, which differ in the arguments they
   * pass explicitly.
   */
  static Map<String, Object> of(OfficialUNet architecture, WeightInit init) {
    Map<String, Object> form = new LinkedHashMap<>();
    form.put("init_mode", init.mode().name().toLowerCase(Locale.ROOT));
    switch (architecture) {
      case DHARIWAL -> {
        form.put("init_weight", gain(init.weight()));
        form.put("init_bias", gain(init.bias()));
      }
      case SONG -> {
        if (init.weight() != 1) {
          form.put("init_weight", gain(init.weight()));
        }
      }
    }
    return form;
  }

  /** Zero is an integer there. */
  private static Object gain(double gain) {
    return gain == 0 ? (Object) 0L : (Object) gain;
  }
}
