// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.metrics.extraction;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.relaydiffusion.Printable;

/**
 * The inputs of parts: only parts with equal manifests can be joined.
 *
 * @param lines in order: a name, a colon, a value
 */
record Manifest(List<String> lines) {
  private static final String VERSION = "parts of activations: version 1";

  /** Returns the manifest of a run. */
  static Manifest of(ExtractionOptions options, ImageSet set, Chunks chunks, PartFormat format) {
    return new Manifest(
        List.of(
            VERSION,
            "data: " + Printable.of(options.data().toAbsolutePath().normalize()),
            "images: " + chunks.images(),
            "names and sizes: " + set.fingerprint(),
            "network: " + options.networkText(),
            "content: %s, %s images a part".formatted(format.name(), chunks.size())));
  }

  /** Parses a manifest file. */
  static Manifest parse(String text) {
    return new Manifest(text.lines().toList());
  }

  /** Returns the content of a manifest file. */
  String text() {
    return lines.stream().map(line -> line + "\n").collect(Collectors.joining());
  }

  /** Returns each difference from another manifest, for a message. */
  String differences(Manifest other) {
    Map<String, String> mine = values();
    Map<String, String> others = other.values();
    List<String> all = new ArrayList<>();
    mine.forEach((name, value) -> {
      String found = others.getOrDefault(name, "nothing");
      if (!found.equals(value)) {
        all.add("%s %s instead of %s".formatted(name, value, found));
      }
    });
    return all.isEmpty() ? "its manifest has different lines" : String.join(", ", all);
  }

  private Map<String, String> values() {
    Map<String, String> values = new LinkedHashMap<>();
    for (String line : lines) {
      String[] halves = line.split(": ", 2);
      values.put(halves[0], halves.length < 2 ? "" : halves[1]);
    }
    return values;
  }
}
