// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.tests.exact;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The differences between the tensors of two states, each relative to the largest value of the
 * tensor.
 */
final class Distances {
  private int tensors;
  private int equal;
  private double largest;
  private String farthest = "";

  private Distances() {}

  /** Prints a line for each kind of tensor. */
  static void print(Path otherRun, Path state) {
    Map<String, double[]> others = new HashMap<>();
    ExactResult.forEach(lastState(otherRun), (name, t) -> others.put(name, t.toDoubles()));
    Map<String, Distances> kinds = new LinkedHashMap<>();
    ExactResult.forEach(
        state,
        (name, t) -> {
          double[] other = others.get(name);
          if (other != null) {
            kinds
                .computeIfAbsent(name.substring(0, name.indexOf('.')), _ -> new Distances())
                .add(name, t.toDoubles(), other);
          }
        });
    kinds.forEach((kind, d) ->
        System.out.println(
            String.format(
                Locale.ROOT,
                "  %-10s %s of %s tensors equal, largest distance %.2g of the largest value%s",
                kind,
                d.equal,
                d.tensors,
                d.largest,
                d.farthest.isEmpty() ? "" : " (" + d.farthest + ")")));
  }

  private static Path lastState(Path run) {
    try (Stream<Path> files = Files.list(run)) {
      return files.filter(f -> f.toString().endsWith(".pt")).max(Path::compareTo).orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void add(String name, double[] a, double[] b) {
    double difference = 0;
    double scale = 0;
    for (int i = 0; i < a.length; i++) {
      difference = Math.max(difference, Math.abs(a[i] - b[i]));
      scale = Math.max(scale, Math.abs(b[i]));
    }
    tensors++;
    equal += difference == 0 ? 1 : 0;
    // The key part of qkv.bias has no gradient except for rounding errors, which Adam amplifies.
    double relative = scale == 0 ? 0 : difference / scale;
    if (relative > largest && !name.endsWith("qkv.bias")) {
      largest = relative;
      farthest = name;
    }
  }
}
