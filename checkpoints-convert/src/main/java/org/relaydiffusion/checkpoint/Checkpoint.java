// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.nio.file.Path;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.checkpoint.archive.CheckpointFile;
import org.relaydiffusion.checkpoint.archive.CheckpointFile.Container;
import org.relaydiffusion.io.LeasedArena;
import org.relaydiffusion.io.MappedFile;
import org.relaydiffusion.model.safetensors.SafetensorsFile;

/**
 * An open checkpoint: an official {@code .pkl} or {@code .pt}, or any {@code .safetensors}. Its
 * structure is read and validated on opening, the data of its tensors only on access. Nothing in it
 * is executed.
 *
 * <p>{@link #close()} unmaps the file: its tensors, and everything that LibTorch created from them
 * without a copy, must not be used afterwards. Not thread-safe.
 */
public final class Checkpoint implements AutoCloseable {
  private final Path path;
  private final CheckpointFormat format;
  private final CheckpointContents contents;
  private final String prefix;
  private final Map<String, StoredTensor> tensors;
  private final Runnable closer;

  private Checkpoint(
      Path path, CheckpointFormat format, CheckpointContents contents, Runnable closer) {
    this.path = path;
    this.format = format;
    this.contents = contents;
    this.prefix = StateNames.prefix(contents.tensors().keySet());
    this.tensors = StateNames.without(prefix, contents.tensors());
    this.closer = closer;
  }

  /**
   * Opens a file, whose kind is determined by its content.
   *
   * @return the checkpoint, which the caller closes
   * @throws FileException if it cannot be read, is damaged, or contains anything except data
   */
  public static Checkpoint open(Path path) {
    Container container;
    try (MappedFile file = MappedFile.open(path)) {
      container = CheckpointFile.detect(file);
    }
    return container == Container.SAFETENSORS ? openSafetensors(path) : openPickle(path, container);
  }

  private static Checkpoint openSafetensors(Path path) {
    SafetensorsFile file = SafetensorsFile.open(path);
    try {
      return new Checkpoint(
          path, CheckpointFormat.SAFETENSORS, NetworkMetadata.read(file), file::close);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  @SuppressWarnings("MustBeClosedChecker") // The result owns both and closes them.
  private static Checkpoint openPickle(Path path, Container container) {
    MappedFile file = MappedFile.open(path);
    LeasedArena arena = LeasedArena.open();
    Runnable closer =
        () -> {
          arena.close();
          file.close();
        };
    try {
      CheckpointFile pickle = new CheckpointFile(file, arena);
      return new Checkpoint(
          path,
          CheckpointFormat.of(container),
          PickleContents.read(path, pickle.read(container), pickle.budget()),
          closer);
    } catch (RuntimeException e) {
      closer.run();
      throw e;
    }
  }

  /** Returns the path of the file. */
  public Path path() {
    return path;
  }

  /** Returns the format of the file. */
  public CheckpointFormat format() {
    return format;
  }

  /**
   * Returns the networks by key ({@code ema}, {@code net}), in the order of the file; empty if
   * there are none.
   */
  public Map<String, NetworkRecord> networks() {
    return Collections.unmodifiableMap(contents.networks());
  }

  /**
   * Returns one network.
   *
   * @throws FileException listing what exists instead
   */
  public NetworkRecord network(Which which) {
    NetworkRecord network = contents.networks().get(which.key());
    if (network == null) {
      boolean bare = contents.networks().isEmpty() && !tensors.isEmpty();
      throw new FileException(
          path,
          "has no network '%s'; it has %s%s"
              .formatted(
                  which.key(),
                  keys(),
                  bare ? ": 'rdm convert' takes a bare state_dict with --config or --like" : ""));
    }
    return network;
  }

  /** Returns the names of the first entries, for a message. */
  private String keys() {
    String names =
        Stream.of(contents.networks(), contents.others(), tensors)
            .flatMap(map -> map.keySet().stream())
            .limit(8)
            .map(name -> "'" + Printable.of(name) + "'")
            .collect(Collectors.joining(", "));
    return names.isEmpty() ? "nothing" : names;
  }

  /**
   * Returns the network for sampling: the EMA if there is one, otherwise the only network.
   *
   * @throws RdmException if there is none
   */
  public NetworkRecord network() {
    boolean onlyNet =
        !contents.networks().containsKey(Which.EMA.key())
            && contents.networks().containsKey(Which.NET.key());
    return network(onlyNet ? Which.NET : Which.EMA);
  }

  /**
   * Returns tensors that belong to neither a network nor an optimizer: those of plain dictionaries,
   * under dotted names, in the order of the file, without {@link #prefix}.
   */
  public Map<String, StoredTensor> tensors() {
    return Collections.unmodifiableMap(tensors);
  }

  /**
   * Returns the prefix that wrappers of the module have added to the name of each tensor, such as
   * {@code module.}; empty if there is none.
   */
  public String prefix() {
    return prefix;
  }

  /** Returns the state of the optimizer, in the checkpoints of training runs. */
  public Optional<OptimizerRecord> optimizer() {
    return contents.optimizer();
  }

  /**
   * Returns everything else by key, such as {@code step}, {@code loss_fn} and {@code
   * dataset_kwargs}.
   */
  public Map<String, CheckpointEntry> otherEntries() {
    return Collections.unmodifiableMap(contents.others());
  }

  /**
   * Returns the entries that the official code does not write, by key, as plain values: null,
   * String, Long, Double, Boolean, {@link StoredTensor}, and lists and maps of these. Other values
   * are omitted.
   */
  public Map<String, @Nullable Object> extra() {
    return Collections.unmodifiableMap(contents.extra());
  }

  /**
   * Returns the number of images that a training run has processed.
   *
   * @throws FileException if it is not recorded in the file
   */
  public long step() {
    if (contents.others().get("step") instanceof CheckpointEntry.Plain(Long step)) {
      return step;
    }
    throw new FileException(path, "has no integer 'step': it is not a training state");
  }

  /** Returns a summary of the contents, which is independent of the open file. */
  public CheckpointSummary summary() {
    return CheckpointSummary.of(this);
  }

  @Override
  public void close() {
    closer.run();
  }
}
