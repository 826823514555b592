package org.relaydiffusion.metrics.extraction;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.relaydiffusion.Printable;

/**
 * What parts are made from: parts of equal manifests fit together, and no others do.
 *
 * @param lines in order: a name, a colon, a value
 */
record Manifest(List<String> lines) {
  private static final String VERSION = "parts of activations: version 1";

  /** The manifest of a run. */
  static Manifest of(ExtractionOptions options, ImageSet set, Chunks chunks, PartFormat format) {
    return new Manifest(
        List.of(
            VERSION,
            "data: " + Printable.of(options.data().toAbsolutePath().normalize()),
            "images: " + chunks.images(),
            "names and sizes: " + set.fingerprint(),
            "network: " + options.network(),
            "content: %s, %s images a part".formatted(format.name(), chunks.size())));
  }

  /** What a file of parts says of itself. */
  static Manifest parse(String text) {
    return new Manifest(text.lines().toList());
  }

  /** The content of such a file. */
  String text() {
    return lines.stream().map(line -> line + "\n").collect(Collectors.joining());
  }

  /** Each thing in which another manifest differs, for a message. */
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
    return all.isEmpty() ? "its description has other lines" : String.join(", ", all);
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
