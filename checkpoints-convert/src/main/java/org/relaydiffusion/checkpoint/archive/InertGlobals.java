// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.archive;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.checkpoint.pickle.GlobalName;
import org.relaydiffusion.checkpoint.pickle.InertName;
import org.relaydiffusion.checkpoint.pickle.PickleReader;

/**
 * The names in a checkpoint: names known to be data, and others as inert names, for settings and
 * notes that are stored beside networks.
 *
 * @param known the names known to be data
 */
record InertGlobals(Map<GlobalName, Object> known) implements PickleReader.Globals {
  @Override
  public @Nullable Object get(GlobalName name) {
    Object value = known.get(name);
    return value == null ? InertName.of(name).orElse(null) : value;
  }
}
