package org.relaydiffusion.checkpoint.archive;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.relaydiffusion.checkpoint.pickle.BadPickleException;
import org.relaydiffusion.checkpoint.pickle.PickleInput;
import org.relaydiffusion.checkpoint.pickle.PickleReader;
import org.relaydiffusion.checkpoint.pickle.PickleReader.Globals;
import org.relaydiffusion.checkpoint.pickle.PickleReader.PersistentIds;
import org.relaydiffusion.checkpoint.pickle.Values;

/**
 * What {@code torch.save} wrote before PyTorch 1.6, and still writes inside pickles: five pickles
 * (magic number, protocol version, facts about the machine, the object, the storages' keys), then
 * each storage as a count and raw elements.
 */
final class LegacyStream {
  static final BigInteger MAGIC = new BigInteger("1950a86a20f9469cfc6c", 16);
  static final Long VERSION = 1001L;

  /** A pickle of the magic number: PROTO, LONG1 of 10 bytes, the number, STOP. */
  private static final byte[] MAGIC_TAIL = {
    (byte) 0x8a,
    0x0a,
    0x6c,
    (byte) 0xfc,
    (byte) 0x9c,
    0x46,
    (byte) 0xf9,
    0x20,
    0x6a,
    (byte) 0xa8,
    0x50,
    0x19,
    0x2e
  };

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

  /** Whether the memory begins with the magic number, in any protocol that can write it so. */
  static boolean looksLike(MemorySegment memory) {
    return memory.byteSize() >= 2 + MAGIC_TAIL.length
        && memory.get(ValueLayout.JAVA_BYTE, 0) == (byte) 0x80
        && memory.asSlice(2, MAGIC_TAIL.length).mismatch(MemorySegment.ofArray(MAGIC_TAIL)) == -1;
  }

  /** Reads the object; storages are placed, not read. */
  static Object read(CheckpointFile file, MemorySegment memory, String what, Globals globals) {
    return new LegacyStream(file, memory, what, globals).read();
  }

  private Object read() {
    Object magic = pickle("magic number", PersistentIds.none());
    if (!MAGIC.equals(magic)) {
      throw bad("begins with " + Values.show(magic) + ", expected torch's magic number");
    }
    Object version = pickle("version", PersistentIds.none());
    if (!VERSION.equals(version)) {
      throw bad("has version " + Values.show(version) + ", expected 1001");
    }
    Object machine = pickle("machine", PersistentIds.none());
    if (!(machine instanceof Map<?, ?> facts) || !Boolean.TRUE.equals(facts.get("little_endian"))) {
      throw bad("was not written by a little-endian machine");
    }
    StorageIds ids = new StorageIds(file, (_, _) -> {});
    Object value = pickle("object", ids);
    if (!(pickle("keys", PersistentIds.none()) instanceof List<?> keys)) {
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
        throw bad("lists storage " + Values.show(key) + ", which nothing uses, or lists it twice");
      }
      try {
        long numel = in.i64();
        if (numel != storage.numel()) {
          throw new BadPickleException(
              "has %s elements, its tensor's storage %s".formatted(numel, storage.numel()));
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

  private Object pickle(String part, PersistentIds ids) {
    return PickleReader.read(file.path(), what + "'s " + part, in, file.budget(), globals, ids);
  }

  private RuntimeException bad(String found) {
    return file.bad(what + " " + found);
  }
}
