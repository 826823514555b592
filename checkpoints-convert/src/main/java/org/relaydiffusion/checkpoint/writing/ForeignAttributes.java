// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.writing;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.checkpoint.pickle.Tuple;
import org.relaydiffusion.torch.nn.Module;

/**
 * The attributes of a network that the official code does not have: what this project reads, which
 * are the class and the arguments of the preconditioner.
 *
 * @param className the class of the preconditioner
 * @param initKwargs its arguments, as plain values
 */
record ForeignAttributes(String className, Map<String, @Nullable Object> initKwargs)
    implements Attributes {
  /** Copies the arguments, keeping their order. */
  ForeignAttributes {
    initKwargs = Collections.unmodifiableMap(new LinkedHashMap<>(initKwargs));
  }

  @Override
  public String add(Map<String, @Nullable Object> state, String path, Module module) {
    state.put("_init_args", new Tuple(List.of()));
    if (path.isEmpty()) {
      state.put("_init_kwargs", initKwargs);
      return className;
    }
    state.put("_init_kwargs", Map.of());
    String name = module.getClass().getSimpleName();
    return name.isEmpty() ? "Module" : name;
  }
}
