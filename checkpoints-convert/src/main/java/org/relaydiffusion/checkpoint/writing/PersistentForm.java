package org.relaydiffusion.checkpoint.writing;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.checkpoint.pickle.GlobalName;
import org.relaydiffusion.checkpoint.pickle.PickleForm;

/**
 * An object as the official code's persistence wrapper stores it: a class found through a line of
 * source text, and the attributes that it gets without its constructor being run.
 */
public final class PersistentForm {
  private static final GlobalName RECONSTRUCT =
      new GlobalName("torch_utils.persistence", "_reconstruct_persistent_obj");
  private static final long VERSION = 6;

  private PersistentForm() {}

  /**
   * The object.
   *
   * @param module the official module that defines the class, e.g. {@code training.networks}
   * @param className the class's name there
   * @param state the attributes, as {@link org.relaydiffusion.checkpoint.pickle.PickleWriter} takes
   *     them
   */
  public static PickleForm of(
      String module, String className, Map<String, ? extends @Nullable Object> state) {
    Map<String, Object> meta = new LinkedHashMap<>();
    meta.put("type", "class");
    meta.put("version", VERSION);
    // The original's whole source text stands here; an import of it serves as well.
    meta.put("module_src", "from %s import *\n".formatted(module));
    meta.put("class_name", className);
    meta.put("state", state);
    return new PickleForm.Call(RECONSTRUCT, List.of(meta));
  }
}
