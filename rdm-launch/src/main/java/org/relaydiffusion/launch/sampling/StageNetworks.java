// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.StageNames;
import org.relaydiffusion.diffusion.StageRange;
import org.relaydiffusion.launch.download.SourceFile;

/**
 * The checkpoints of a run.
 *
 * @param networks of the stages, by index from 0
 * @param guides of the networks by which stages are guided, by index from 0
 */
record StageNetworks(
    SortedMap<Integer, SourceFile> networks, SortedMap<Integer, SourceFile> guides) {
  /** Returns networks without guides, in the order of the stages. */
  static StageNetworks of(List<SourceFile> files) {
    SortedMap<Integer, SourceFile> networks = new TreeMap<>();
    for (int i = 0; i < files.size(); i++) {
      networks.put(i, files.get(i));
    }
    return new StageNetworks(networks, new TreeMap<>());
  }

  /**
   * Checks that the stages to run have their networks.
   *
   * @param networks the indexes of those that were given
   * @throws OptionException naming the option that is missing
   */
  static void requireComplete(
      StageRange range, Collection<Integer> networks, Collection<Integer> guides) {
    // As in the official scripts, both stages run unless fewer are asked for.
    int last =
        range
            .to()
            .orElse(Math.max(range.from(), Math.max(1, networks.stream().reduce(0, Math::max))));
    for (int i = range.from(); i <= last; i++) {
      if (!networks.contains(i)) {
        String name = StageNames.of(i);
        throw new OptionException(
            "--network_%s is missing: the %s stage requires a checkpoint".formatted(name, name));
      }
    }
    for (int i : guides) {
      if (!networks.contains(i)) {
        throw new OptionException(
            "--guide_%s requires --network_%s".formatted(StageNames.of(i), StageNames.of(i)));
      }
    }
  }

  /** Returns those of the stages in a range. */
  StageNetworks within(StageRange range) {
    return new StageNetworks(within(networks, range), within(guides, range));
  }

  private static SortedMap<Integer, SourceFile> within(
      SortedMap<Integer, SourceFile> files, StageRange range) {
    SortedMap<Integer, SourceFile> within = new TreeMap<>();
    files.forEach((index, file) -> {
      if (range.includes(index)) {
        within.put(index, file);
      }
    });
    return within;
  }

  /** Returns all files. */
  List<SourceFile> files() {
    return List.of(networks, guides).stream().map(Map::values).flatMap(Collection::stream).toList();
  }

  /** Passes each file under the name of its option, such as {@code network_first}. */
  void forEach(BiConsumer<String, SourceFile> consumer) {
    networks.forEach((i, file) -> consumer.accept("network_" + StageNames.of(i), file));
    guides.forEach((i, file) -> consumer.accept("guide_" + StageNames.of(i), file));
  }

  /** Returns the network of a stage. */
  Optional<SourceFile> network(int index) {
    return Optional.ofNullable(networks.get(index));
  }
}
