package org.relaydiffusion.checkpoint.pickle;

/**
 * What a pickle calls a global: a class or a function, by name.
 *
 * @param module the dotted module, e.g. {@code torch._utils}
 * @param name the name in it, e.g. {@code _rebuild_tensor_v2}
 */
public record GlobalName(String module, String name) {
  @Override
  public String toString() {
    return module + "." + name;
  }
}
