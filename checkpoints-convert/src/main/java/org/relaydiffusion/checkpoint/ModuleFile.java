// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import org.relaydiffusion.FileException;
import org.relaydiffusion.checkpoint.archive.CheckpointFile;
import org.relaydiffusion.checkpoint.archive.CheckpointFile.Classes;
import org.relaydiffusion.checkpoint.archive.CheckpointFile.Container;
import org.relaydiffusion.checkpoint.pickle.Instance;
import org.relaydiffusion.checkpoint.pickle.PersistentObject;
import org.relaydiffusion.checkpoint.pickle.Values;
import org.relaydiffusion.io.LeasedArena;
import org.relaydiffusion.io.MappedFile;
import org.relaydiffusion.model.safetensors.SafetensorsFile;

/**
 * A file with the tensors of one module of any kind, under the names of its state_dict: a {@code
 * .pkl} of one object of the official kind, a TorchScript archive, a {@code .pt} of a plain
 * state_dict, or a {@code .safetensors}. It is for networks that are not of this project; those are
 * read by {@link Checkpoint}.
 *
 * <p>Nothing in the file is executed, and the program of a TorchScript archive is not read. {@link
 * #close()} unmaps the file: its tensors must not be used afterwards. Not thread-safe.
 */
public final class ModuleFile implements AutoCloseable {
  private final Path path;
  private final CheckpointFormat format;
  private final String prefix;
  private final Map<String, StoredTensor> tensors;
  private final Map<String, String> metadata;
  private final Runnable closer;

  private ModuleFile(
      Path path,
      CheckpointFormat format,
      Map<String, StoredTensor> tensors,
      Map<String, String> metadata,
      Runnable closer) {
    this.path = path;
    this.format = format;
    this.prefix = StateNames.prefix(tensors.keySet());
    this.tensors = Collections.unmodifiableMap(StateNames.without(prefix, tensors));
    this.metadata = metadata;
    this.closer = closer;
  }

  /**
   * Opens a file, whose kind is determined by its content.
   *
   * @return the file, which the caller closes
   * @throws FileException if it cannot be read, is damaged, contains anything except data, or
   *     anything except one module
   */
  public static ModuleFile open(Path path) {
    Container container;
    try (MappedFile file = MappedFile.open(path)) {
      container = CheckpointFile.detect(file);
    }
    return container == Container.SAFETENSORS ? openSafetensors(path) : openPickle(path, container);
  }

  @SuppressWarnings("MustBeClosedChecker") // The result owns it and closes it.
  private static ModuleFile openSafetensors(Path path) {
    SafetensorsFile file = SafetensorsFile.open(path);
    Map<String, StoredTensor> tensors = new LinkedHashMap<>();
    file.tensors().forEach((name, data) -> tensors.put(name, new StoredTensor(data, file.file())));
    return new ModuleFile(
        path, CheckpointFormat.SAFETENSORS, tensors, file.metadata(), file::close);
  }

  @SuppressWarnings("MustBeClosedChecker") // The result owns both and closes them.
  private static ModuleFile openPickle(Path path, Container container) {
    MappedFile file = MappedFile.open(path);
    LeasedArena arena = LeasedArena.open();
    Runnable closer =
        () -> {
          arena.close();
          file.close();
        };
    try {
      Object root = new CheckpointFile(file, arena).read(container, Classes.MODULES);
      return new ModuleFile(path, format(root, container), tensors(path, root), Map.of(), closer);
    } catch (RuntimeException e) {
      closer.run();
      throw e;
    }
  }

  private static Map<String, StoredTensor> tensors(Path path, Object root) {
    return switch (root) {
      case PersistentObject object ->
          ModuleReader.tensors(path, object.className(), object.state());
      case Instance module when CheckpointFile.isProgram(module.type()) ->
          ScriptReader.tensors(path, module);
      case Instance module when module.state() instanceof Map<?, ?> state ->
          ModuleReader.tensors(path, module.type().name(), state);
      case Map<?, ?> entries -> {
        TensorTree tree = new TensorTree(path);
        entries.forEach((key, value) -> tree.collect(TensorTree.key(key), value));
        yield tree.tensors();
      }
      default ->
          throw new FileException(
              path, "contains %s, expected a module or its tensors".formatted(Values.show(root)));
    };
  }

  private static CheckpointFormat format(Object root, Container container) {
    return switch (root) {
      case PersistentObject _ -> CheckpointFormat.MODULE;
      case Instance module when CheckpointFile.isProgram(module.type()) ->
          CheckpointFormat.TORCH_SCRIPT;
      case Instance _ -> CheckpointFormat.MODULE;
      default -> CheckpointFormat.of(container);
    };
  }

  /** Returns the path of the file. */
  public Path path() {
    return path;
  }

  /** Returns the kind of the file, for display. */
  public String kind() {
    return format.label();
  }

  /** Returns the format of the file. */
  public CheckpointFormat format() {
    return format;
  }

  /** Returns a summary of the contents, which is independent of the open file. */
  public CheckpointSummary summary() {
    return CheckpointSummary.of(this);
  }

  /**
   * Returns the prefix that wrappers of the module have added to the name of each tensor, such as
   * {@code module.}; empty if there is none.
   */
  public String prefix() {
    return prefix;
  }

  /**
   * Returns the parameters and buffers by name, without {@link #prefix}, in the order of the file.
   */
  public Map<String, StoredTensor> tensors() {
    return tensors;
  }

  /** Returns the metadata in the header of a {@code .safetensors}; empty for other kinds. */
  public Map<String, String> metadata() {
    return metadata;
  }

  /**
   * Returns the SHA-256, in hexadecimal, of the names, dtypes, shapes and values in the order of
   * the names. It is the same for equal modules, regardless of the kind of file.
   *
   * @throws FileException if a tensor is damaged
   */
  public String valuesSha256() {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (Map.Entry<String, StoredTensor> entry : new TreeMap<>(tensors).entrySet()) {
        StoredTensor tensor = entry.getValue();
        String title =
            "%s %s %s\n"
                .formatted(
                    entry.getKey(), tensor.dtype().torchName(), Arrays.toString(tensor.shape()));
        digest.update(title.getBytes(StandardCharsets.UTF_8));
        TensorSources.of(tensor).forEachChunk(chunk -> digest.update(chunk.asByteBuffer()));
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (NoSuchAlgorithmException | IOException e) {
      // Every Java has SHA-256, and hashing itself performs no I/O.
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    closer.run();
  }
}
