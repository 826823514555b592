// SPDX-License-Identifier: Apache-2.0
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
 * {@code network-snapshot-*}: one network for sampling, for the official code or for this project.
 * {@link Checkpoint} reads both. Tensors are written in chunks.
 */
public final class NetworkSnapshotFile {
  private NetworkSnapshotFile() {}

  /**
   * Returns the official file name after {@code kimg} thousand images.
   *
   * @param kimg thousands of images
   * @param extension {@code pkl} or {@code safetensors}
   */
  public static String name(long kimg, String extension) {
    return String.format(Locale.ROOT, "network-snapshot-%06d.%s", kimg, extension);
  }

  /**
   * Returns whether the official code has a network, so that it can be written for it.
   *
   * @param config of the network
   */
  public static boolean isOfficial(ModelConfig config) {
    return NetworkForm.isOfficial(config);
  }

  /**
   * Writes the official code's {@code .pkl} atomically.
   *
   * @param target replaced if it exists; parent folders are created
   * @throws FileException naming the target, if it cannot be written, if the network's tensors do
   *     not match its settings, or if the official code does not have the network or the loss
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
   * Writes a {@code .safetensors} with the network's configuration in its header, as in a
   * conversion, atomically.
   *
   * @param target replaced if it exists; parent folders are created
   * @param which the key of the network
   * @throws FileException naming the target, if it cannot be written, or if the network's tensors
   *     do not match its settings
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
            // In the order of the state_dict, regardless of the order of the sources.
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

  /** Adds the name of the target to errors that do not name a file. */
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
