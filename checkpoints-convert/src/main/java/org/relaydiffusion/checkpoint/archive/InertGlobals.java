package org.relaydiffusion.checkpoint.archive;

import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.checkpoint.pickle.GlobalName;
import org.relaydiffusion.checkpoint.pickle.InertName;
import org.relaydiffusion.checkpoint.pickle.PickleReader;

/**
 * The names in a checkpoint: those known to be data, and any other as its name alone, for the
 * settings and notes that people keep beside their networks.
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
