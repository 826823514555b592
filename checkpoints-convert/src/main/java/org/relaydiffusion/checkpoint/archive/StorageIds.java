// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.archive;

import java.util.HashMap;
import java.util.Map;
import org.relaydiffusion.checkpoint.pickle.BadPickleException;
import org.relaydiffusion.checkpoint.pickle.Callable;
import org.relaydiffusion.checkpoint.pickle.GlobalName;
import org.relaydiffusion.checkpoint.pickle.InertName;
import org.relaydiffusion.checkpoint.pickle.PickleReader.PersistentIds;
import org.relaydiffusion.checkpoint.pickle.PyNone;
import org.relaydiffusion.checkpoint.pickle.Tuple;
import org.relaydiffusion.checkpoint.pickle.Values;

/**
 * PyTorch's persistent ids: {@code ('storage', class, key, location, numel[, view])} and, in the
 * legacy stream, {@code ('module', class, source file, source text)}, which represents the class.
 */
final class StorageIds implements PersistentIds {
  private final CheckpointFile file;
  private final Placement placement;
  private final Map<String, Storage> storages = new HashMap<>();

  StorageIds(CheckpointFile file, Placement placement) {
    this.file = file;
    this.placement = placement;
  }

  /** Locates a storage. */
  @FunctionalInterface
  interface Placement {
    /** Called once for each key; may postpone the location. */
    void place(String key, Storage storage);
  }

  /** Returns the storages found so far, by key. */
  Map<String, Storage> storages() {
    return storages;
  }

  @Override
  public Object load(Object id) {
    if (!(id instanceof Tuple tuple) || tuple.size() < 2) {
      throw bad(id);
    }
    boolean type = tuple.get(1) instanceof Callable || tuple.get(1) instanceof InertName;
    if (tuple.get(0).equals("module") && type) {
      return tuple.get(1);
    }
    if (tuple.get(0).equals("storage") && tuple.get(1) instanceof InertName(GlobalName name)) {
      throw new BadPickleException(InertName.refusal(name));
    }
    boolean isStorage =
        tuple.get(0).equals("storage")
            && tuple.size() >= 5
            && tuple.size() <= 6
            && tuple.get(1) instanceof StorageType
            && tuple.get(2) instanceof String
            && tuple.get(3) instanceof String
            && tuple.get(4) instanceof Long;
    if (!isStorage) {
      throw bad(id);
    }
    if (tuple.size() == 6 && tuple.get(5) != PyNone.NONE) {
      throw new BadPickleException("has a view of a storage, as written by PyTorch 0.1");
    }
    return storage((StorageType) tuple.get(1), (String) tuple.get(2), (Long) tuple.get(4));
  }

  private Storage storage(StorageType type, String key, long numel) {
    Storage known = storages.get(key);
    if (known == null) {
      Storage storage = new Storage(file, "storage " + Values.show(key), type.dtype(), numel);
      placement.place(key, storage);
      storages.put(key, storage);
      return storage;
    }
    if (known.dtype() != type.dtype() || known.numel() != numel) {
      throw new BadPickleException(
          "has storage %s as %s %s and as %s %s"
              .formatted(
                  Values.show(key),
                  known.numel(),
                  known.dtype().torchName(),
                  numel,
                  type.dtype().torchName()));
    }
    return known;
  }

  private static BadPickleException bad(Object id) {
    return new BadPickleException(
        "has %s as a persistent id, expected ('storage', class, key, location, count)"
            .formatted(Values.show(id)));
  }
}
