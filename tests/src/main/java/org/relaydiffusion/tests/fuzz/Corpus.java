// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.fuzz;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/**
 * The inputs from which mutation starts: {@code tests/corpus}, the fixtures, and the content of
 * files of these (the pickle in PyTorch's zip, a safetensors header, an array in an npz).
 *
 * @param root the folder of the project
 */
record Corpus(Path root) {
  private static final String PICKLE = "data.pkl";
  private static final String ARRAY = ".npy";
  private static final String HEADER = ".safetensors-header";

  /** The inputs of a target by name, in the order of their names. */
  Map<String, byte[]> of(Target target) throws IOException {
    Map<String, byte[]> found = new TreeMap<>();
    for (String folder : List.of("tests/corpus", "tests/fixtures")) {
      Path from = root.resolve(folder);
      try (Stream<Path> files = Files.walk(from)) {
        for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
          add(target, from.relativize(file).toString(), Files.readAllBytes(file), found);
        }
      }
    }
    Synthetic.pictures().forEach((name, bytes) -> add(target, name, bytes, found));
    return found;
  }

  private static void add(Target target, String name, byte[] bytes, Map<String, byte[]> found) {
    if (target.endings().stream().anyMatch(name.toLowerCase(Locale.ROOT)::endsWith)) {
      put(target, name, bytes, found);
    }
    if (target == Target.SAFETENSORS_HEADER && name.endsWith(".safetensors")) {
      put(target, name + HEADER, header(bytes), found);
    }
    String inside = target == Target.TORCH_ZIP ? PICKLE : target == Target.NPY ? ARRAY : null;
    if (inside != null && bytes.length > 4 && bytes[0] == 'P' && bytes[1] == 'K') {
      try (ZipInputStream zip = new ZipInputStream(new ByteArrayInputStream(bytes))) {
        ZipEntry entry = zip.getNextEntry();
        while (entry != null) {
          if (entry.getName().endsWith(inside)) {
            put(target, name + "-" + entry.getName().replace('/', '-'), zip.readAllBytes(), found);
          }
          entry = zip.getNextEntry();
        }
      } catch (IOException | IllegalArgumentException e) {
        // One of the archives that are damaged on purpose.
      }
    }
  }

  private static byte[] header(byte[] bytes) {
    long length =
        bytes.length < 8 ? 0 : ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    return length < 0 || length > bytes.length - 8
        ? bytes
        : Arrays.copyOfRange(bytes, 8, 8 + (int) length);
  }

  private static void put(Target target, String name, byte[] bytes, Map<String, byte[]> found) {
    if (bytes.length <= target.mostBytes()) {
      found.put(name, bytes);
    }
  }
}
