// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.diffusion.Noise;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.FileSum;
import org.relaydiffusion.launch.command.Json;
import org.relaydiffusion.launch.command.StoredOptions;
import org.relaydiffusion.torch.LaunchGrid;

/**
 * The origin of the images in a folder: their options and the networks' checksums, as JSON beside
 * them. A run that keeps images compares it with its own.
 */
public final class SamplingRecord {
  /** The name of the file in the folder of images. */
  public static final String FILE = "sampling_options.json";

  private static final String SINCE = "pictures_since";

  /** The suffix of the checksum of a network. */
  static final String SUM = "_sha256";

  /** The source of random numbers, which older records lack: it was always the CPU. */
  static final String NOISE = "noise";

  /** The launch grid of a GPU where the noise that it draws depends on it. */
  static final String NOISE_GRID = "noise_grid";

  /** Options that do not affect an image, or are compared by checksum. */
  private static final Set<String> FREE =
      Set.of("command", "outdir", "seeds", "batch", "device", "world_size", SINCE);

  private final Path file;
  private final Map<String, @Nullable Object> options;
  private final Map<String, String> mine;
  private final Map<String, String> stored;

  private SamplingRecord(
      Path file, Map<String, @Nullable Object> options, Map<String, String> stored) {
    this.file = file;
    this.options = options;
    this.mine = StoredOptions.of(file, options);
    this.stored = stored;
  }

  /**
   * Reads the networks, for their checksums, and the record of the folder, if there is one.
   *
   * @throws FileException if a file cannot be read
   */
  static SamplingRecord of(SamplingJob job) {
    Map<String, @Nullable Object> options = job.resolved();
    job.networks()
        .within(job.range())
        .forEach((option, file) -> options.put(option + SUM, FileSum.sha256(file.path())));
    Path file = job.target().outdir().resolve(FILE);
    return new SamplingRecord(file, options, Files.isRegularFile(file) ? stored(file) : Map.of());
  }

  /**
   * Returns this record with the launch grid of the GPU that draws the noise, on which the images
   * then depend; without one, they do not.
   */
  SamplingRecord withNoiseGrid(Optional<LaunchGrid> grid) {
    if (grid.isEmpty()) {
      return this;
    }
    Map<String, @Nullable Object> more = new LinkedHashMap<>(options);
    more.put(NOISE_GRID, grid.get().toString());
    return new SamplingRecord(file, more, stored);
  }

  private static Map<String, String> stored(Path file) {
    Map<String, String> stored = new TreeMap<>(StoredOptions.read(file));
    if (!stored.isEmpty()) {
      stored.putIfAbsent(NOISE, Noise.CPU.toString());
    }
    return stored;
  }

  /** Returns everything that determines the images, with the checksums of the networks. */
  Map<String, @Nullable Object> options() {
    return Collections.unmodifiableMap(options);
  }

  /** Returns the SHA-256 of the networks of the stages that run, by option. */
  Map<String, String> sums() {
    Map<String, String> sums = new TreeMap<>();
    options.forEach((name, value) -> {
      if (name.endsWith(SUM)) {
        sums.put(name.substring(0, name.length() - SUM.length()), String.valueOf(value));
      }
    });
    return sums;
  }

  /**
   * Returns a key that is the same for all processes and runs that generate the same images for the
   * same seeds.
   */
  String key() {
    Map<String, String> decisive = new TreeMap<>(mine);
    // Networks are identified by their checksums: their paths may differ between hosts.
    decisive.keySet().removeAll(Set.of("command", "outdir", "device", SINCE));
    decisive.keySet().removeIf(name -> mine.containsKey(name + SUM));
    return FileSum.sha256(decisive.toString().getBytes(StandardCharsets.UTF_8));
  }

  /** Returns whether the folder has a record. */
  private boolean isThere() {
    return !stored.isEmpty();
  }

  /** Returns whether the record of the folder is that of this run. */
  boolean isWritten() {
    return isThere() && differences().isEmpty() && stored.keySet().containsAll(mine.keySet());
  }

  /** Returns the differences between the folder's images and those of this run. */
  private List<String> differences() {
    List<String> differences = new ArrayList<>();
    Set<String> names = new TreeSet<>(mine.keySet());
    names.addAll(stored.keySet());
    for (String name : names) {
      String was = stored.getOrDefault(name, "none");
      String is = mine.getOrDefault(name, "none");
      if (!FREE.contains(name) && !isKnownByItsSum(name) && !was.equals(is)) {
        differences.add("%s %s instead of %s".formatted(Printable.of(name), is, Printable.of(was)));
      }
    }
    return differences;
  }

  /** A network may be moved. Its checksum can be compared if both are recorded. */
  private boolean isKnownByItsSum(String name) {
    if (name.endsWith(SUM)) {
      String network = name.substring(0, name.length() - SUM.length());
      return !stored.containsKey(name) && stored.containsKey(network);
    }
    return stored.containsKey(name + SUM);
  }

  /**
   * Refuses to keep images of other options or networks.
   *
   * @return a warning about what cannot be verified; empty if there is none
   * @throws FileException naming each difference
   */
  Optional<String> requireSame() {
    if (!isThere()) {
      return Optional.of(
          "%s is missing: cannot verify that the existing images are of these options and"
                  .formatted(file)
              + " networks");
    }
    List<String> differences = differences();
    if (!differences.isEmpty()) {
      throw new FileException(
          file,
          "the existing images are different (%s): choose another --outdir, or regenerate all"
                  .formatted(String.join(", ", differences))
              + " of them without --resume");
    }
    boolean unsummed =
        mine.keySet().stream().anyMatch(name -> name.endsWith(SUM) && !stored.containsKey(name));
    return unsummed
        ? Optional.of(
            ("%s does not record the networks' checksums: cannot verify that the existing images"
                        + " are of")
                    .formatted(file)
                + " these networks")
        : Optional.empty();
  }

  /**
   * Returns the time from which on images are of the folder's record; older ones existed before it
   * and are of unknown options. Empty if all of them are considered to be of it.
   */
  Optional<Instant> since() {
    try {
      return Optional.ofNullable(stored.get(SINCE)).map(Instant::parse);
    } catch (DateTimeParseException e) {
      throw new FileException(file, "has an invalid time as %s".formatted(SINCE), e);
    }
  }

  /**
   * Writes the record, before the first image of the run.
   *
   * @param others the time from which on images are of this run, if there were any before it that
   *     it does not keep
   */
  void write(Optional<Instant> others) {
    boolean same = isThere() && differences().isEmpty();
    // Images that are kept are considered to be of these options from now on, as the user was
    // warned.
    (same ? since() : others).ifPresent(time -> options.put(SINCE, time.toString()));
    byte[] text = (Json.write(options) + "\n").getBytes(StandardCharsets.UTF_8);
    AtomicFile.write(file, out -> out.write(ByteBuffer.wrap(text)));
  }
}
