// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.diffusion.PipelineFile;
import org.relaydiffusion.diffusion.PipelineFolder;
import org.relaydiffusion.diffusion.StageNames;
import org.relaydiffusion.diffusion.StageOptions;
import org.relaydiffusion.diffusion.StageRange;
import org.relaydiffusion.launch.command.FileLocation;
import org.relaydiffusion.launch.download.Downloads;
import org.relaydiffusion.launch.download.SourceFile;

/**
 * The checkpoints of a run.
 *
 * @param networks of the stages, by index from 0
 * @param guides of the networks by which stages are guided, by index from 0
 * @param folder the pipeline folder that they are in, if they are
 */
record StageNetworks(
    SortedMap<Integer, SourceFile> networks,
    SortedMap<Integer, SourceFile> guides,
    Optional<PipelineFolder> folder) {
  /** Returns networks without guides, in the order of the stages. */
  static StageNetworks of(List<SourceFile> files) {
    SortedMap<Integer, SourceFile> networks = new TreeMap<>();
    for (int i = 0; i < files.size(); i++) {
      networks.put(i, files.get(i));
    }
    return new StageNetworks(networks, new TreeMap<>(), Optional.empty());
  }

  /** Returns the networks that were given on a command line. */
  static StageNetworks of(List<StageSection> stages, Downloads downloads) {
    return new StageNetworks(
        located(stages, StageSection::network, downloads),
        located(stages, StageSection::guide, downloads),
        Optional.empty());
  }

  private static SortedMap<Integer, SourceFile> located(
      List<StageSection> stages,
      Function<StageSection, Optional<FileLocation>> file,
      Downloads downloads) {
    SortedMap<Integer, SourceFile> files = new TreeMap<>();
    for (int i = 0; i < stages.size(); i++) {
      int index = i;
      file.apply(stages.get(i)).ifPresent(location -> files.put(index, downloads.locate(location)));
    }
    return files;
  }

  /** Returns the networks of a pipeline folder. */
  static StageNetworks of(PipelineFolder folder) {
    SortedMap<Integer, SourceFile> networks = new TreeMap<>();
    SortedMap<Integer, SourceFile> guides = new TreeMap<>();
    folder
        .stages()
        .forEach((index, stage) -> {
          networks.put(index, SourceFile.of(stage.network().path()));
          stage.guide().ifPresent(guide -> guides.put(index, SourceFile.of(guide.path())));
        });
    return new StageNetworks(networks, guides, Optional.of(folder));
  }

  /**
   * Checks that the stages to run have their networks.
   *
   * @throws OptionException naming the option that is missing
   */
  void requireComplete(StageRange range) {
    // As in the official scripts, both stages run unless fewer are asked for.
    int last =
        range
            .to()
            .orElse(
                Math.max(range.from(), Math.max(1, networks.isEmpty() ? 0 : networks.lastKey())));
    for (int i = range.from(); i <= last; i++) {
      if (!networks.containsKey(i)) {
        throw missing(i);
      }
    }
    for (int i : guides.keySet()) {
      if (!networks.containsKey(i)) {
        throw new OptionException(
            "--guide_%s requires --network_%s".formatted(StageNames.of(i), StageNames.of(i)));
      }
    }
  }

  private OptionException missing(int index) {
    String name = StageNames.of(index);
    return new OptionException(
        folder
            .map(pipeline ->
                "--pipeline=%s has no %s stage: choose others with --sampler_stages"
                    .formatted(Printable.of(pipeline.path()), name))
            .orElse(
                "--network_%s is missing: the %s stage requires a checkpoint"
                    .formatted(name, name)));
  }

  /** Leaves out guide networks of a pipeline folder that the options of their stage do not use. */
  StageNetworks used(List<StageOptions> options) {
    SortedMap<Integer, SourceFile> active = new TreeMap<>(guides);
    if (folder.isPresent()) {
      active.keySet().removeIf(index -> !options.get(index).guidance().isActive());
    }
    return new StageNetworks(networks, active, folder);
  }

  /** Returns those of the stages in a range. */
  StageNetworks within(StageRange range) {
    return new StageNetworks(within(networks, range), within(guides, range), folder);
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

  /**
   * Compares checksums of the files with those of their folder.
   *
   * @param sums SHA-256 by option, of the networks in use
   * @throws org.relaydiffusion.FileException naming the file that was changed
   */
  void checkSums(Map<String, String> sums) {
    forEach((option, file) -> {
      String sum = sums.get(option);
      if (sum != null) {
        inFolder(file).ifPresent(packed -> packed.checkSum(sum));
      }
    });
  }

  /**
   * Returns the checksums under which each network is known: that of its file, and that of the
   * checkpoint from which its file in the folder was converted.
   *
   * @param sums SHA-256 by option, of the networks in use
   */
  Map<String, List<String>> knownSums(Map<String, String> sums) {
    Map<String, List<String>> known = new TreeMap<>();
    forEach((option, file) -> {
      String sum = sums.get(option);
      if (sum != null) {
        List<String> all = new ArrayList<>(List.of(sum));
        inFolder(file).flatMap(PipelineFile::sourceSha256).ifPresent(all::add);
        known.put(option, all);
      }
    });
    return known;
  }

  private Optional<PipelineFile> inFolder(SourceFile file) {
    return folder.stream()
        .flatMap(pipeline -> pipeline.files().stream())
        .filter(packed -> packed.path().equals(file.path()))
        .findFirst();
  }

  /** Returns the network of a stage. */
  Optional<SourceFile> network(int index) {
    return Optional.ofNullable(networks.get(index));
  }
}
