// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.relaydiffusion.FileException;
import org.relaydiffusion.checkpoint.pickle.ByteRange;
import org.relaydiffusion.checkpoint.pickle.NumpyBytes;
import org.relaydiffusion.checkpoint.pickle.PickleBudget;
import org.relaydiffusion.checkpoint.pickle.PickleInput;
import org.relaydiffusion.checkpoint.pickle.PickleReader;
import org.relaydiffusion.checkpoint.pickle.PickleReader.Python2Strings;
import org.relaydiffusion.checkpoint.pickle.Values;

/**
 * Reads pickles of plain data that are not checkpoints, such as the batches of CIFAR-10:
 * dictionaries, lists, strings, numbers and numpy byte arrays, as written by Python 2 and 3. Any
 * other name is rejected, and nothing is executed.
 */
public final class PlainPickle {
  private PlainPickle() {}

  /**
   * Reads a dictionary.
   *
   * @param file the file of the pickle, for messages
   * @param what the name of the pickle in messages
   * @param pickle its bytes, all of which belong to it
   * @return by name: arrays and bytes are {@code byte[]}, strings {@link String}, integers {@link
   *     Long}, lists {@link java.util.List} of these
   * @throws FileException if it is damaged, contains anything else, or is not a dictionary with
   *     string keys
   */
  public static Map<String, Object> dictionary(Path file, String what, byte[] pickle) {
    PickleInput in = new PickleInput(MemorySegment.ofArray(pickle).asReadOnly());
    try (Arena arena = Arena.ofConfined()) {
      Object value =
          PickleReader.read(
              file,
              what,
              in,
              new PickleBudget(arena, pickle.length),
              NumpyBytes.globals()::get,
              PickleReader.PersistentIds.none(),
              Python2Strings.ASCII_OR_BYTES);
      if (in.remaining() > 0) {
        throw new FileException(
            file, "%s: has %s bytes after its end".formatted(what, in.remaining()));
      }
      if (!(value instanceof Map<?, ?> map)) {
        throw new FileException(
            file, "%s: is %s, expected a dictionary".formatted(what, Values.show(value)));
      }
      Map<String, Object> result = new HashMap<>();
      map.forEach((key, item) -> {
        if (!(key instanceof String name)) {
          throw new FileException(
              file, "%s: has the key %s, expected a string".formatted(what, Values.show(key)));
        }
        result.put(name, plain(item));
      });
      return result;
    }
  }

  private static Object plain(Object value) {
    return switch (value) {
      case NumpyBytes array -> array.bytes().toArray(ValueLayout.JAVA_BYTE);
      case ByteRange bytes -> bytes.memory().toArray(ValueLayout.JAVA_BYTE);
      default -> value;
    };
  }
}
