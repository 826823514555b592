// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.writing;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.nn.Module;

/** The attributes of the modules of a network, besides their tensors and children. */
interface Attributes {
  /**
   * Completes the state of a module.
   *
   * @param path of the module; empty for the preconditioner
   * @return the name of its class
   */
  String add(Map<String, @Nullable Object> state, String path, Module module);
}
