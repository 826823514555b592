// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion.train;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.data.ImageFolderDataset;
import org.relaydiffusion.diffusion.train.TrainingOptions.LossScaling;
import org.relaydiffusion.diffusion.train.TrainingOptions.Start;
import org.relaydiffusion.model.ModelConfig;
import org.relaydiffusion.torch.CudaPrecision.Tf32;
import org.relaydiffusion.torch.Device;

/**
 * A run's options as the reference writes them to {@code training_options.json}: plain values under
 * its names.
 */
public final class ResolvedOptions {
  private ResolvedOptions() {}

  /**
   * Resolves options for the data.
   *
   * @param processes of the run
   * @throws org.relaydiffusion.OptionException if snapshots are in a format that lacks the network
   *     or the loss
   * @throws org.relaydiffusion.RdmException if the network is invalid or does not match the data
   */
  public static Map<String, @Nullable Object> of(
      TrainingOptions options, ImageFolderDataset dataset, int processes) {
    // Rejects arguments that do not define a network.
    TrainingRun.config(options, dataset);
    Map<String, @Nullable Object> all = new LinkedHashMap<>();
    all.put("dataset_kwargs", dataset(options, dataset));
    all.put("data_loader_kwargs", Map.of("num_workers", (long) options.data().workers()));
    Map<String, @Nullable Object> network = new LinkedHashMap<>();
    network.put("class_name", "training.networks." + options.network().className());
    network.putAll(TrainingRun.kwargs(options, dataset));
    all.put("network_kwargs", network);
    Map<String, @Nullable Object> loss = new LinkedHashMap<>();
    loss.put("class_name", options.loss().className());
    loss.putAll(options.loss().kwargs());
    all.put("loss_kwargs", loss);
    all.put("optimizer_kwargs", optimizer(options));
    all.put("augment_kwargs", augment(options));
    all.put("seed", options.seed());
    all.put("num_processes", (long) processes);
    all.put("batch_size", (long) options.batching().batch());
    all.put("batch_gpu", (long) options.batching().round(processes));
    if (options.batching().activations() == Batching.Activations.RECOMPUTED) {
      all.put("checkpoint_activations", true);
    }
    TrainingSchedule schedule = options.schedule();
    all.put("total_kimg", wholeIfPossible(schedule.totalKimg()));
    all.put("ema_halflife_kimg", wholeIfPossible(schedule.emaHalflifeKimg()));
    all.put(
        "ema_rampup_ratio",
        schedule.emaRampupRatio().isPresent() ? schedule.emaRampupRatio().getAsDouble() : null);
    all.put("lr_rampup_kimg", schedule.rampupKimg());
    all.put(
        "loss_scaling",
        options.scaling() instanceof LossScaling.Fixed(double factor) ? factor : "auto");
    Saving saving = options.saving();
    all.put("kimg_per_tick", saving.tickKimg());
    all.put("snapshot_ticks", plain(saving.snapshotTicks()));
    all.put("state_dump_ticks", plain(saving.stateTicks()));
    all.put(
        "state_dump_minutes", saving.stateTime().map(t -> t.toMillis() / 60_000.0).orElse(null));
    all.put("kept_states", plain(saving.keptStates()));
    all.put("sample_ticks", plain(saving.sampleTicks()));
    all.put("device", options.running().device().toString());
    all.put("dtype", options.running().dtype().torchName());
    all.put("numerics", options.running().numerics().name().toLowerCase(Locale.ROOT));
    if (options.running().device().type() == Device.Type.CUDA) {
      all.put("tf32", options.tf32().orElse(Tf32.FORBIDDEN) == Tf32.ALLOWED);
    }
    switch (options.start()) {
      case Start.Fresh() -> {}
      case Start.Transfer(var checkpoint) -> all.put("resume_pkl", checkpoint.toString());
      case Start.Resume(var state) -> all.put("resume_state_dump", state.toString());
    }
    return all;
  }

  /**
   * Returns the configuration of the network trained by a run.
   *
   * @throws org.relaydiffusion.RdmException if it is invalid or does not match the data
   */
  public static ModelConfig network(TrainingOptions options, ImageFolderDataset dataset) {
    return TrainingRun.config(options, dataset);
  }

  private static Map<String, @Nullable Object> dataset(
      TrainingOptions options, ImageFolderDataset dataset) {
    Map<String, @Nullable Object> kwargs = new LinkedHashMap<>();
    kwargs.put("class_name", "training.dataset.ImageFolderDataset");
    kwargs.put("path", options.data().path().toString());
    kwargs.put("use_labels", options.data().labels());
    kwargs.put("xflip", options.data().xflip());
    kwargs.put("cache", options.data().cache());
    kwargs.put("resolution", (long) dataset.resolution());
    kwargs.put("max_size", (long) options.data().maxSize().orElse(dataset.size()));
    return kwargs;
  }

  private static Map<String, @Nullable Object> optimizer(TrainingOptions options) {
    Map<String, @Nullable Object> kwargs = new LinkedHashMap<>();
    kwargs.put("class_name", "torch.optim.Adam");
    kwargs.put("lr", options.schedule().learningRate());
    kwargs.put("betas", List.of(options.adam().beta1(), options.adam().beta2()));
    kwargs.put("eps", options.adam().eps());
    return kwargs;
  }

  private static @Nullable Map<String, @Nullable Object> augment(TrainingOptions options) {
    if (options.augment().isEmpty()) {
      return null;
    }
    Map<String, @Nullable Object> kwargs = new LinkedHashMap<>();
    kwargs.put("class_name", "training.augment.AugmentPipe");
    kwargs.putAll(options.augment().get().kwargs());
    return kwargs;
  }

  /** Formats as in the reference: an integer without a decimal point. */
  private static Number wholeIfPossible(double kimg) {
    long whole = (long) kimg;
    return whole == kimg ? (Number) whole : (Number) kimg;
  }

  private static @Nullable Long plain(OptionalInt ticks) {
    return ticks.isPresent() ? (long) ticks.getAsInt() : null;
  }
}
