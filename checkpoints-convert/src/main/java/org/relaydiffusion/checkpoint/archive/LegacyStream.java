// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.archive;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.math.BigInteger;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.relaydiffusion.FileException;
import org.relaydiffusion.checkpoint.pickle.BadPickleException;
import org.relaydiffusion.checkpoint.pickle.PickleBudget;
import org.relaydiffusion.checkpoint.pickle.PickleInput;
import org.relaydiffusion.checkpoint.pickle.PickleReader;
import org.relaydiffusion.checkpoint.pickle.PickleReader.Globals;
import org.relaydiffusion.checkpoint.pickle.PickleReader.PersistentIds;
import org.relaydiffusion.checkpoint.pickle.Values;

/**
 * The format written by {@code torch.save} before PyTorch 1.6, and still used inside pickles: five
 * pickles (magic number, protocol version, system information, the object, the keys of the
 * storages), followed by each storage as a count and raw elements.
 */
final class LegacyStream {
  static final BigInteger MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);
  static final Long VERSION = 1001L;

  /** The maximum size of a pickle of the magic number in any protocol. */
  private static final long LONGEST_MAGIC = 64;

  private final CheckpointFile file;
  private final PickleInput in;
  private final String what;
  private final Globals globals;

  private LegacyStream(CheckpointFile file, MemorySegment memory, String what, Globals globals) {
    this.file = file;
    this.in = new PickleInput(memory);
    this.what = what;
    this.globals = globals;
  }

  /** Returns whether memory begins with a pickle of the magic number, in any protocol. */
  static boolean looksLike(Path file, MemorySegment memory) {
    MemorySegment start = memory.asSlice(0, Math.min(LONGEST_MAGIC, memory.byteSize()));
    PickleInput in = new PickleInput(start);
    PickleBudget budget = new PickleBudget(Arena.global(), 0);
    try {
      return MAGIC.equals(
          PickleReader.read(file, "the magic number", in, budget, Map.of(), PersistentIds.none()));
    } catch (FileException _) {
      return false;
    }
  }

  /** Reads the object; storages are located, not read. */
  static Object read(CheckpointFile file, MemorySegment memory, String what, Globals globals) {
    return new LegacyStream(file, memory, what, globals).read();
  }

  private Object read() {
    Object magic = plain("magic number");
    if (!MAGIC.equals(magic)) {
      throw bad("begins with " + Values.show(magic) + ", expected torch's magic number");
    }
    Object version = plain("version");
    if (!VERSION.equals(version)) {
      throw bad("has version " + Values.show(version) + ", expected 1001");
    }
    Object machine = plain("machine");
    if (!(machine instanceof Map<?, ?> facts) || !Boolean.TRUE.equals(facts.get("little_endian"))) {
      throw bad("was not written by a little-endian machine");
    }
    StorageIds ids = new StorageIds(file, (_, _) -> {});
    Object value = pickle("object", globals, ids);
    if (!(plain("keys") instanceof List<?> keys)) {
      throw bad("has no list of storages");
    }
    placeStorages(ids.storages(), keys);
    return value;
  }

  private void placeStorages(Map<String, Storage> storages, List<?> keys) {
    Set<String> placed = new HashSet<>();
    for (Object key : keys) {
      Storage storage = key instanceof String name ? storages.get(name) : null;
      if (storage == null || !placed.add((String) key)) {
        throw bad("lists storage " + Values.show(key) + ", which is unused or listed twice");
      }
      try {
        long numel = in.i64();
        if (numel != storage.numel()) {
          throw new BadPickleException(
              "has %s elements, but the storage of its tensor %s"
                  .formatted(numel, storage.numel()));
        }
        storage.place(in.take(storage.byteSize()), () -> {});
      } catch (BadPickleException e) {
        throw bad("storage %s %s".formatted(Values.show(key), e.getMessage()));
      }
    }
    if (placed.size() != storages.size()) {
      throw bad("uses storages that it does not list");
    }
  }

  /** Of the five pickles, only the object may contain names. */
  private Object plain(String part) {
    return pickle(part, _ -> null, PersistentIds.none());
  }

  private Object pickle(String part, Globals names, PersistentIds ids) {
    return PickleReader.read(file.path(), what + "'s " + part, in, file.budget(), names, ids);
  }

  private RuntimeException bad(String found) {
    return file.bad(what + " " + found);
  }
}
