// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.bench;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.torch.TensorData;

/**
 * Writes the data that a checkpoint consists of as a pickle of protocol 2: null, Boolean, Integer,
 * Long, Double, String, List, Map, and the records below.
 */
final class PickleWriter {
  /** A tuple. */
  record Tuple(List<?> items) {}

  /** A module behind the official code's persistence wrapper. */
  record Persistent(String className, Map<String, ?> state) {}

  /** A plain object of {@code module.name}, with its attributes. */
  record Plain(String module, String name, Map<String, ?> state) {}

  /** A float32 tensor, the whole of the storage {@code data/key}. */
  record FloatTensor(String key, long[] shape, boolean parameter) {
    long numel() {
      long n = 1;
      for (long s : shape) {
        n *= s;
      }
      return n;
    }
  }

  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final DataOutputStream out = new DataOutputStream(bytes);

  private PickleWriter() {}

  /** The pickle of a value. */
  static byte[] write(Object value) {
    PickleWriter writer = new PickleWriter();
    try {
      writer.out.writeShort(0x8002); // PROTO 2
      writer.value(value);
      writer.out.writeByte('.');
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return writer.bytes.toByteArray();
  }

  private void value(@Nullable Object value) throws IOException {
    switch (value) {
      case null -> out.writeByte('N');
      case Boolean b -> out.writeByte(b ? 0x88 : 0x89);
      case Integer i -> number(i);
      case Long l -> number(l);
      case Double d -> {
        out.writeByte('G');
        out.writeDouble(d);
      }
      case String s -> text(s);
      case List<?> l -> {
        out.writeByte(']');
        items(l);
        out.writeByte('e');
      }
      case Set<?> s -> {
        global("__builtin__", "set");
        value(new Tuple(List.of(List.copyOf(s))));
        out.writeByte('R');
      }
      case Map<?, ?> m -> dictionary(m);
      case Tuple(List<?> members) -> {
        items(members);
        out.writeByte('t');
      }
      case Persistent p -> persistent(p);
      case Plain(String module, String name, Map<String, ?> state) -> {
        global(module, name);
        out.writeByte(')');
        out.writeByte(0x81); // NEWOBJ
        dictionary(state);
        out.writeByte('b');
      }
      case FloatTensor t -> tensor(t);
      default -> throw new IllegalArgumentException(value.getClass() + " has no pickle here");
    }
  }

  private void items(List<?> items) throws IOException {
    out.writeByte('(');
    for (Object item : items) {
      value(item);
    }
  }

  private void dictionary(Map<?, ?> map) throws IOException {
    out.writeByte('}');
    out.writeByte('(');
    for (Map.Entry<?, ?> e : map.entrySet()) {
      value(e.getKey());
      value(e.getValue());
    }
    out.writeByte('u');
  }

  private void number(long value) throws IOException {
    if (value == (int) value) {
      out.writeByte('J');
      out.writeInt(Integer.reverseBytes((int) value));
    } else {
      out.writeByte(0x8a); // LONG1
      out.writeByte(8);
      out.writeLong(Long.reverseBytes(value));
    }
  }

  private void text(String text) throws IOException {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    out.writeByte('X');
    out.writeInt(Integer.reverseBytes(utf8.length));
    out.write(utf8);
  }

  private void global(String module, String name) throws IOException {
    out.writeBytes("c" + module + "\n" + name + "\n");
  }

  private void persistent(Persistent p) throws IOException {
    global("torch_utils.persistence", "_reconstruct_persistent_obj");
    out.writeByte('(');
    out.writeByte('}');
    out.writeByte('(');
    for (Object field : new Object[] {"type", "class", "version", 6, "module_src", "# none"}) {
      value(field);
    }
    value("class_name");
    value(p.className);
    value("state");
    dictionary(p.state);
    out.writeByte('u');
    out.writeByte('t');
    out.writeByte('R');
  }

  private void tensor(FloatTensor t) throws IOException {
    if (t.parameter) {
      global("torch._utils", "_rebuild_parameter");
      out.writeByte('(');
    }
    global("torch._utils", "_rebuild_tensor_v2");
    out.writeByte('(');
    out.writeByte('(');
    text("storage");
    global("torch", "FloatStorage");
    text(t.key);
    text("cpu");
    number(t.numel());
    out.writeByte('t');
    out.writeByte('Q'); // BINPERSID
    number(0);
    longs(t.shape);
    longs(TensorData.contiguousStrides(t.shape));
    value(false);
    noHooks();
    out.writeByte('t');
    out.writeByte('R');
    if (t.parameter) {
      value(true);
      noHooks();
      out.writeByte('t');
      out.writeByte('R');
    }
  }

  private void longs(long[] values) throws IOException {
    out.writeByte('(');
    for (long v : values) {
      number(v);
    }
    out.writeByte('t');
  }

  private void noHooks() throws IOException {
    global("collections", "OrderedDict");
    out.writeByte(')');
    out.writeByte('R');
  }
}
