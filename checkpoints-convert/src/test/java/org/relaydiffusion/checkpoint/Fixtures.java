// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.relaydiffusion.model.safetensors.TensorSource;
import org.relaydiffusion.torch.TensorData;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The fixture files that these tests share, and what is done with them. */
final class Fixtures {
  static final Path ROOT = Path.of(System.getProperty("rdm.fixtures"));
  static final Path BAD = ROOT.resolve("checkpoints_bad/files");

  private Fixtures() {}

  /** The official checkpoints, one a case. */
  static List<Path> official() {
    try (Stream<Path> files = Files.walk(ROOT.resolve("checkpoints"))) {
      List<Path> found =
          files
              .filter(f -> f.toString().endsWith(".pkl") || f.toString().endsWith(".pt"))
              .sorted()
              .toList();
      if (found.size() != 8) {
        throw new IllegalStateException("expected 8 checkpoints, found " + found);
      }
      return found;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static JsonNode json(Path file) {
    return JsonMapper.builder().build().readTree(file.toFile());
  }

  static Path beside(Path file, String suffix) {
    return file.resolveSibling(file.getFileName() + suffix);
  }

  /** The value of a key that must be there. */
  static <V> V get(Map<?, V> map, Object key) {
    V value = map.get(key);
    if (value == null) {
      throw new AssertionError("no " + key + " among " + map.keySet());
    }
    return value;
  }

  /** The elements in row-major order. */
  static byte[] bytes(TensorData data) {
    byte[] all = new byte[Math.toIntExact(data.byteSize())];
    int[] at = {0};
    try {
      TensorSource.of(data)
          .forEachChunk(chunk -> {
            MemorySegment.copy(chunk, 0, MemorySegment.ofArray(all), at[0], chunk.byteSize());
            at[0] += (int) chunk.byteSize();
          });
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return all;
  }
}
