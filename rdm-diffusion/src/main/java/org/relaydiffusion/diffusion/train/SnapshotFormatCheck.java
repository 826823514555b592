// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.util.Locale;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.checkpoint.NetworkSnapshotFile;
import org.relaydiffusion.checkpoint.ObjectContents;
import org.relaydiffusion.model.ModelConfig;

/** Rejects a format of snapshots before training that would fail at the first one. */
final class SnapshotFormatCheck {
  private SnapshotFormatCheck() {}

  /**
   * Checks that the official code has what snapshots for it contain.
   *
   * @param config of the network
   * @throws OptionException naming the network or the loss that it does not have
   */
  static void require(TrainingOptions options, ModelConfig config) {
    Saving saving = options.saving();
    if (saving.snapshotTicks().isEmpty()
        || saving.snapshotFormat() == Saving.SnapshotFormat.SAFETENSORS) {
      return;
    }
    if (!NetworkSnapshotFile.isOfficial(config)) {
      String network =
          "%s over %s"
              .formatted(
                  config.preconditioning().className(),
                  config.network().architecture().className());
      throw refused(saving, "network " + network);
    }
    if (!ObjectContents.isOfficialLoss(options.loss().className())) {
      throw refused(saving, "loss " + options.loss().name());
    }
  }

  private static OptionException refused(Saving saving, String what) {
    return new OptionException(
        "--snap-format=%s is for the official code, which has no %s: use safetensors"
            .formatted(saving.snapshotFormat().name().toLowerCase(Locale.ROOT), what));
  }
}
