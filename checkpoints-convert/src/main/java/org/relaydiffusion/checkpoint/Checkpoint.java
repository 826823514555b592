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
 * An open checkpoint: an official {@code .pkl} or {@code .pt}, or a {@code .safetensors} of ours or
 * anyone's. Its structure is read and checked on opening; the bytes of its tensors only when they
 * are asked for. Nothing in it is executed.
 *
 * <p>{@link #close()} unmaps the file: every tensor from here, and everything LibTorch made of it
 * without a copy, must not be used after that. Not for use by several threads at once.
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
   * Opens a file; what it is, is told by its content.
   *
   * @throws FileException when it cannot be read, is broken, or asks for what is no data
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

  @SuppressWarnings("MustBeClosedChecker") // The result owns both, and closes them.
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

  /** The file. */
  public Path path() {
    return path;
  }

  /** How the file is packed. */
  public CheckpointFormat format() {
    return format;
  }

  /**
   * The networks by key ({@code ema}, {@code net}), in the file's order; empty when there is none.
   */
  public Map<String, NetworkRecord> networks() {
    return Collections.unmodifiableMap(contents.networks());
  }

  /**
   * One network.
   *
   * @throws FileException naming what is there instead
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

  /** The names of the first entries, for a message. */
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
   * The network to sample from: the moving average where there is one, else the only one.
   *
   * @throws RdmException when there is none
   */
  public NetworkRecord network() {
    boolean onlyNet =
        !contents.networks().containsKey(Which.EMA.key())
            && contents.networks().containsKey(Which.NET.key());
    return network(onlyNet ? Which.NET : Which.EMA);
  }

  /**
   * Tensors that belong to no network and no optimizer: those of plain dictionaries, under dotted
   * names, in the file's order, without {@link #prefix}.
   */
  public Map<String, StoredTensor> tensors() {
    return Collections.unmodifiableMap(tensors);
  }

  /**
   * What wrappers around the module have put before the name of each tensor, such as {@code
   * module.}; empty where they have not.
   */
  public String prefix() {
    return prefix;
  }

  /** The optimizer's state, in the checkpoints of training runs. */
  public Optional<OptimizerRecord> optimizer() {
    return contents.optimizer();
  }

  /** Everything else by key, such as {@code step}, {@code loss_fn} and {@code dataset_kwargs}. */
  public Map<String, CheckpointEntry> otherEntries() {
    return Collections.unmodifiableMap(contents.others());
  }

  /**
   * What the official code would not have written there, by key, as plain values: null, String,
   * Long, Double, Boolean, {@link StoredTensor}, and lists and maps of these. What is none of these
   * is left out.
   */
  public Map<String, @Nullable Object> extra() {
    return Collections.unmodifiableMap(contents.extra());
  }

  /**
   * The number of images that a training run had seen.
   *
   * @throws FileException when the file does not say
   */
  public long step() {
    if (contents.others().get("step") instanceof CheckpointEntry.Plain(Long step)) {
      return step;
    }
    throw new FileException(path, "has no whole number 'step': it is no training state");
  }

  /** A description of what is in the file, which outlives it. */
  public CheckpointSummary summary() {
    return CheckpointSummary.of(this);
  }

  @Override
  public void close() {
    closer.run();
  }
}
