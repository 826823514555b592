// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.training;

import java.math.BigDecimal;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.augment.AugmentSetting;
import org.relaydiffusion.diffusion.loss.BlurLoss;
import org.relaydiffusion.diffusion.train.NetworkPreset;
import org.relaydiffusion.diffusion.train.Saving;
import org.relaydiffusion.diffusion.train.TrainingData;
import org.relaydiffusion.diffusion.train.TrainingNetwork;
import org.relaydiffusion.diffusion.train.TrainingOptions;
import org.relaydiffusion.diffusion.train.TrainingSchedule;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/** The defaults of {@link TrainingOptions#builder} under the names of the command line options. */
final class TrainingDefaults implements IDefaultValueProvider {
  private static final double KIMG_PER_MIMG = 1000;
  private static final double MILLIS_PER_MINUTE = 60_000;

  private final Map<String, String> values = new LinkedHashMap<>();

  TrainingDefaults() {
    TrainingOptions defaults = TrainingOptions.builder(Path.of("")).seed(0).build();
    data(defaults.data());
    if (defaults.network() instanceof TrainingNetwork.Preset network) {
      values.put("--arch", network.architecture().text());
      network(network.changes());
    }
    values.put("--precond", defaults.loss().name());
    loss(BlurLoss.DEFAULT);
    put("--augment", defaults.augment().map(a -> a.get(AugmentSetting.P)).orElse(0.0));
    schedule(defaults.schedule());
    put("--batch", defaults.batching().batch());
    if (defaults.scaling() instanceof TrainingOptions.LossScaling.Fixed(double factor)) {
      put("--ls", factor);
    }
    saving(defaults.saving());
  }

  private void data(TrainingData data) {
    put("--cond", data.labels());
    put("--xflip", data.xflip());
    put("--cache", data.cache());
    put("--workers", data.workers());
  }

  private void network(NetworkPreset.Changes changes) {
    put("--dropout", changes.dropout());
    put("--label-dropout", changes.labelDropout());
    put("--eff-attn", changes.efficientAttention());
  }

  private void loss(BlurLoss blur) {
    put("--up-scale", blur.upScale());
    put("--block-scale", blur.blockScale());
    put("--prob-length", blur.probLength());
    put("--blur-sigma-max", blur.blurSigmaMax());
  }

  private void schedule(TrainingSchedule schedule) {
    put("--duration", schedule.totalKimg() / KIMG_PER_MIMG);
    put("--lr", schedule.learningRate());
    put("--lr-rampup", schedule.rampupKimg());
    put("--ema", schedule.emaHalflifeKimg() / KIMG_PER_MIMG);
  }

  private void saving(Saving saving) {
    put("--tick", saving.tickKimg());
    put("--snap", saving.snapshotTicks().orElse(0));
    values.put("--snap-format", saving.snapshotFormat().name().toLowerCase(Locale.ROOT));
    put("--dump", saving.stateTicks().orElse(0));
    put(
        "--save-minutes",
        saving.stateTime().map(t -> t.toMillis() / MILLIS_PER_MINUTE).orElse(0.0));
    put("--sample-ticks", saving.sampleTicks().orElse(0));
  }

  private void put(String option, boolean value) {
    values.put(option, Boolean.toString(value));
  }

  /** Formats a number as on the reference's command lines: {@code 200}, {@code 0.0001}. */
  private void put(String option, double value) {
    values.put(option, BigDecimal.valueOf(value).stripTrailingZeros().toPlainString());
  }

  @Override
  public @Nullable String defaultValue(ArgSpec argument) {
    return argument instanceof OptionSpec option ? values.get(option.longestName()) : null;
  }
}
