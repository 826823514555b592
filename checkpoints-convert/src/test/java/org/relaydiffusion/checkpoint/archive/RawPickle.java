// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint.archive;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.checkpoint.pickle.Buildable;
import org.relaydiffusion.checkpoint.pickle.ByteRange;
import org.relaydiffusion.checkpoint.pickle.Callable;
import org.relaydiffusion.checkpoint.pickle.GlobalName;
import org.relaydiffusion.checkpoint.pickle.PickleBudget;
import org.relaydiffusion.checkpoint.pickle.PickleInput;
import org.relaydiffusion.checkpoint.pickle.PickleReader;
import org.relaydiffusion.checkpoint.pickle.PyNone;
import org.relaydiffusion.checkpoint.pickle.Tuple;

/**
 * A checkpoint's pickle as a list of lines, one a value: every call, class, attribute, order and
 * type, whatever they mean. Left out is what differs between two writings of one value: names of
 * storages, the text of {@code module_src}, and numpy's floats, which stand as Python's.
 */
public final class RawPickle {
  private static final ValueLayout.OfDouble DOUBLE =
      ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final int LEGACY_PICKLES_BEFORE_VALUE = 3;

  private final Path file;
  private final PickleBudget budget;
  private final List<String> lines = new ArrayList<>();

  private RawPickle(Path file, long size) {
    this.file = file;
    this.budget = new PickleBudget(Arena.ofAuto(), size);
  }

  /** A call, or an object made without its constructor, and the state given to it. */
  private static final class Call implements Buildable {
    private final GlobalName function;
    private final List<Object> args;
    private @Nullable Object state;

    Call(GlobalName function, List<Object> args) {
      this.function = function;
      this.args = args;
    }

    @Override
    public void build(Object newState) {
      state = newState;
    }
  }

  /** Tells {@code collections.OrderedDict} from a plain dictionary. */
  private static final class OrderedDict extends LinkedHashMap<Object, Object> {}

  /** The lines of a file of any container. */
  public static List<String> lines(Path file) throws IOException {
    byte[] bytes = pickle(file);
    RawPickle raw = new RawPickle(file, bytes.length);
    raw.describe("", raw.value(MemorySegment.ofArray(bytes)));
    return raw.lines;
  }

  private static byte[] pickle(Path file) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    if (bytes[0] != 'P') {
      return bytes;
    }
    try (ZipFile zip = new ZipFile(file.toFile())) {
      var entry = zip.stream().filter(e -> e.getName().endsWith("data.pkl")).findFirst();
      return zip.getInputStream(entry.orElseThrow()).readAllBytes();
    }
  }

  private Object value(MemorySegment memory) {
    PickleInput in = new PickleInput(memory);
    if (LegacyStream.looksLike(file, memory)) {
      for (int i = 0; i < LEGACY_PICKLES_BEFORE_VALUE; i++) {
        read(in);
      }
    }
    return read(in);
  }

  private Object read(PickleInput in) {
    Map<GlobalName, Object> anything =
        new HashMap<>() {
          @Override
          public @Nullable Object get(@Nullable Object key) {
            return key instanceof GlobalName name ? callable(name) : null;
          }
        };
    return PickleReader.read(file, "the pickle", in, budget, anything, RawPickle::outside);
  }

  /** The older stream has source text beside classes; a storage's id stands for itself. */
  private static Object outside(Object id) {
    return id instanceof Tuple tuple && tuple.get(0).equals("module") ? tuple.get(1) : id;
  }

  private Callable callable(GlobalName name) {
    return new Callable(name, Callable.Kind.CLASS, args -> call(name, args));
  }

  private Object call(GlobalName name, List<Object> args) {
    return switch (name.name()) {
      case "OrderedDict" -> new OrderedDict();
      case "set" -> new LinkedHashSet<>(args.isEmpty() ? List.of() : (List<?>) args.getFirst());
      case "scalar" -> ((ByteRange) args.get(1)).memory().get(DOUBLE, 0);
      case "encode" ->
          new ByteRange(
              MemorySegment.ofArray(
                  ((String) args.getFirst()).getBytes(StandardCharsets.ISO_8859_1)));
      case "_load_from_bytes" -> value(((ByteRange) args.getFirst()).memory());
      default -> new Call(name, args);
    };
  }

  private void describe(String path, @Nullable Object value) {
    switch (value) {
      case Call call -> {
        lines.add(path + " = call " + call.function);
        describe(path + "()", new Tuple(call.args));
        if (call.state != null) {
          describe(path + ".state", call.state);
        }
      }
      case Callable callable -> lines.add(path + " = global " + callable.name());
      case Tuple id when !id.items().isEmpty() && id.get(0).equals("storage") ->
          lines.add(
              path
                  + " = storage "
                  + ((Callable) id.get(1)).name()
                  + " at "
                  + id.get(3)
                  + " of "
                  + id.get(4));
      case Tuple tuple -> items(path, "tuple", tuple.items());
      case List<?> list -> items(path, "list", list);
      case Set<?> set -> items(path, "set", List.copyOf(set));
      case Map<?, ?> map -> {
        lines.add(path + " = " + (map instanceof OrderedDict ? "OrderedDict" : "dict"));
        map.forEach(
            (key, v) -> describe(path + "/" + key, key.equals("module_src") ? "(text)" : v));
      }
      case PyNone _ -> lines.add(path + " = None");
      case null -> throw new AssertionError("a null in a pickle, at " + path);
      default -> lines.add("%s = %s %s".formatted(path, value.getClass().getSimpleName(), value));
    }
  }

  private void items(String path, String type, List<?> items) {
    lines.add("%s = %s of %s".formatted(path, type, items.size()));
    for (int i = 0; i < items.size(); i++) {
      describe(path + "/" + i, items.get(i));
    }
  }
}
