// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.checkpoint;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.FileException;
import org.relaydiffusion.RdmException;
import org.relaydiffusion.checkpoint.archive.TorchZipWriter;
import org.relaydiffusion.checkpoint.writing.NetworkForm;
import org.relaydiffusion.io.AtomicFile;

/**
 * {@code training-state-*.pt}, with which the official code resumes and samples, written like its
 * {@code torch.save}. {@link Checkpoint} reads it. A state of a network that the official code does
 * not have is written in the same form, for this project alone.
 */
public final class TrainingStateFile {
  private static final String OPTIMIZER = "optimizer_state";
  private static final String STEP = "step";
  private static final Set<String> OFFICIAL =
      Set.of(OPTIMIZER, STEP, Which.EMA.key(), Which.NET.key());

  private TrainingStateFile() {}

  /**
   * Returns the official file name after {@code kimg} thousand images, such as {@code
   * training-state-000123.pt}.
   */
  public static String name(long kimg) {
    return String.format(Locale.ROOT, "training-state-%06d.pt", kimg);
  }

  /**
   * Writes a state atomically. Tensors are written in chunks of a mebibyte; no further copies are
   * made except by their sources.
   *
   * @param target replaced if it exists; parent folders are created
   * @throws FileException naming the target, if it cannot be written, or if the tensors of a
   *     network do not match its settings
   */
  public static void write(Path target, TrainingState state) {
    Map<String, @Nullable Object> entries = new LinkedHashMap<>();
    NetworkSnapshotFile.named(target, () -> entries.putAll(entries(state)));
    AtomicFile.write(target, out -> TorchZipWriter.write(out, entries));
  }

  private static Map<String, @Nullable Object> entries(TrainingState state) {
    Map<String, @Nullable Object> entries = new LinkedHashMap<>();
    entries.put(OPTIMIZER, state.optimizer().map(OptimizerContents::form).orElse(Map.of()));
    entries.put(STEP, state.step());
    entries.put(Which.EMA.key(), state.ema().stateForm(NetworkForm.Purpose.EVALUATION));
    entries.put(Which.NET.key(), state.net().stateForm(NetworkForm.Purpose.TRAINING));
    PlainForm plain = new PlainForm();
    state
        .extra()
        .forEach((key, value) -> {
          if (OFFICIAL.contains(key)) {
            throw new RdmException("an extra entry cannot be named '%s'".formatted(key));
          }
          entries.put(key, plain.of(key, value));
        });
    return entries;
  }
}
