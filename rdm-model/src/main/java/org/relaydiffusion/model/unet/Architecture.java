// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.model.unet;

import java.util.List;
import org.relaydiffusion.model.Setting;

/**
 * A kind of raw network: its name, its settings, and how it is made. {@link OfficialUNet} has the
 * reference's two. Others are found by {@link java.util.ServiceLoader}, or given to a {@link
 * org.relaydiffusion.model.NetworkCatalog}; docs/architecture.md shows how one is added.
 */
public interface Architecture {
  /** The name by which {@code model_type} asks for it, e.g. {@code DhariwalUNet}. */
  String className();

  /** Its own keyword arguments. */
  List<Setting> settings();

  /**
   * Checks what no single setting can show, such as whether the images can be halved so often.
   *
   * @throws org.relaydiffusion.model.ModelException naming the setting that does not fit
   */
  default void check(NetworkConfig config) {}

  /** A network without values. */
  UNet make(NetworkConfig config);
}
