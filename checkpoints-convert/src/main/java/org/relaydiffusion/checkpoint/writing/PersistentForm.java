// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.writing;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.checkpoint.pickle.GlobalName;
import org.relaydiffusion.checkpoint.pickle.PickleForm;

/**
 * An object as stored by the official code's persistence wrapper: a class found through a line of
 * source text, and the attributes that are set without calling its constructor.
 */
public final class PersistentForm {
  private static final GlobalName RECONSTRUCT =
      new GlobalName("torch_utils.persistence", "_reconstruct_persistent_obj");
  private static final long VERSION = 6;

  private PersistentForm() {}

  /**
   * Returns the object.
   *
   * @param module the official module that defines the class, such as {@code training.networks}
   * @param className the name of the class in it
   * @param state the attributes, as for {@link org.relaydiffusion.checkpoint.pickle.PickleWriter}
   */
  public static PickleForm of(
      String module, String className, Map<String, ? extends @Nullable Object> state) {
    Map<String, Object> meta = new LinkedHashMap<>();
    meta.put("type", "class");
    meta.put("version", VERSION);
    // The original has its complete source text here; importing it is equivalent.
    meta.put("module_src", "from %s import *\n".formatted(module));
    meta.put("class_name", className);
    meta.put("state", state);
    return new PickleForm.Call(RECONSTRUCT, List.of(meta));
  }
}
