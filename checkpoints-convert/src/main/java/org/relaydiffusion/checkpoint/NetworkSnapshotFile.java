package org.relaydiffusion.checkpoint;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.checkpoint.archive.BarePickleWriter;
import org.relaydiffusion.checkpoint.writing.NetworkForm;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.model.Preconditioner;
import org.relaydiffusion.model.safetensors.SafetensorsWriter;
import org.relaydiffusion.model.safetensors.TensorSource;
import org.relaydiffusion.torch.nn.Parameter;

/**
 * {@code network-snapshot-*}: one network to sample from, for the official code or for this
 * project. {@link Checkpoint} reads both. Tensors go to the file piece by piece.
 */
public final class NetworkSnapshotFile {
  private NetworkSnapshotFile() {}

  /**
   * The official file name after {@code kimg} thousand images.
   *
   * @param extension {@code pkl} or {@code safetensors}
   */
  public static String name(long kimg, String extension) {
    return String.format(Locale.ROOT, "network-snapshot-%06d.%s", kimg, extension);
  }

  /**
   * Writes the official code's {@code .pkl}, whole or not at all.
   *
   * @param target replaced if it exists; folders above it are made
   * @throws FileException naming the target, when it cannot be written, or when the network's
   *     tensors are not those of its settings
   */
  public static void writePickle(Path target, NetworkSnapshot snapshot) {
    Map<String, @Nullable Object> entries = new LinkedHashMap<>();
    named(
        target,
        () -> {
          entries.put("ema", snapshot.ema().form(NetworkForm.Purpose.EVALUATION));
          entries.put("loss_fn", snapshot.loss().map(ObjectContents::form).orElse(null));
          entries.put("augment_pipe", snapshot.augment().map(ObjectContents::form).orElse(null));
          entries.put(
              "dataset_kwargs", new PlainForm().of("dataset_kwargs", snapshot.datasetKwargs()));
        });
    AtomicFile.write(target, out -> BarePickleWriter.write(out, entries));
  }

  /**
   * Writes a {@code .safetensors} with the network's description in its header, as conversion does,
   * whole or not at all.
   *
   * @param target replaced if it exists; folders above it are made
   * @param which what the network is called there
   * @throws FileException naming the target, when it cannot be written, or when the network's
   *     tensors are not those of its settings
   */
  public static void writeSafetensors(Path target, NetworkContents network, Which which) {
    Map<String, TensorSource> tensors = new LinkedHashMap<>();
    Map<String, String> metadata = new LinkedHashMap<>();
    named(
        target,
        () -> {
          ModelConfig config = ModelConfig.of(network.className(), network.initKwargs());
          network.check(config);
          try (Preconditioner definition = Preconditioner.of(config)) {
            // In the order of the state_dict, whatever the order of the sources.
            definition.state().keySet().forEach(name -> tensors.put(name, network.tensor(name)));
            metadata.putAll(
                NetworkMetadata.of(
                    which,
                    network.className(),
                    network.initKwargs(),
                    definition.state().entrySet().stream()
                        .filter(e -> e.getValue().kind() == Parameter.Kind.BUFFER)
                        .map(Map.Entry::getKey)
                        .toList()));
          }
        });
    SafetensorsWriter.writeSources(target, tensors, metadata);
  }

  /** Puts the target's name before errors that do not name a file. */
  static void named(Path target, Runnable preparation) {
    try {
      preparation.run();
    } catch (FileException e) {
      throw e;
    } catch (RdmException e) {
      throw new FileException(target, "cannot be written: " + e.getMessage(), e);
    }
  }
}
