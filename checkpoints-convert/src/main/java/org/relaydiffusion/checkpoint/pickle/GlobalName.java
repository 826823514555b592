// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.pickle;

/**
 * A global of a pickle: a class or a function, by name.
 *
 * @param module the dotted module, such as {@code torch._utils}
 * @param name the name in it, such as {@code _rebuild_tensor_v2}
 */
public record GlobalName(String module, String name) {
  @Override
  public String toString() {
    return module + "." + name;
  }
}
