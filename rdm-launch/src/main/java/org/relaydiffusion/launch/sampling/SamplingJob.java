// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.ClassList;
import org.relaydiffusion.diffusion.ComputeType;
import org.relaydiffusion.diffusion.Noise;
import org.relaydiffusion.diffusion.StageNames;
import org.relaydiffusion.diffusion.StageOptionTable;
import org.relaydiffusion.diffusion.StageOptions;
import org.relaydiffusion.diffusion.StageRange;
import org.relaydiffusion.diffusion.image.Enhancement;
import org.relaydiffusion.diffusion.random.Seeds;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.model.CudaGraphs;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.CudaPrecision;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;

/**
 * The request of a sampling command.
 *
 * @param command name of the command, such as {@code generate}
 * @param networks the checkpoints
 * @param target the output files
 * @param seeds one per image
 * @param seedsText the seeds as typed
 * @param batch the maximum batch size
 * @param classes the classes that are assigned to the images in turn
 * @param range the stages to run
 * @param stages the options of every stage that a pipeline can have
 * @param enhancement the post-processing of the images
 * @param runtime the device and numerics of the networks
 * @param rank this process among those that share the run
 * @param repetition the image whose options the run repeats, if it does
 */
public record SamplingJob(
    String command,
    StageNetworks networks,
    Target target,
    Seeds seeds,
    String seedsText,
    int batch,
    ClassList classes,
    StageRange range,
    List<StageOptions> stages,
    Enhancement enhancement,
    Runtime runtime,
    Rank rank,
    Optional<Repetition> repetition) {
  /** Records of two stages have the options of both, whichever of them run. */
  private static final int ALWAYS_RECORDED = 2;

  /** What is done with images of an earlier run. */
  public enum Existing {
    /** They are generated again. */
    REPLACE,
    /** Complete ones are kept. */
    KEEP
  }

  /** Whether images carry their origin as text. */
  public enum Metadata {
    /** They do, see {@link PictureText}. */
    WRITE,
    /** They do not. */
    OMIT
  }

  /**
   * The files of a run.
   *
   * @param outdir the folder for images
   * @param indir the images that a run starts from which leaves out the first stage
   * @param grid the contact sheet, if requested
   * @param npz the file of all images in one array, if requested
   * @param animation the file that shows how the first images come into being, if requested
   * @param existing what is done with existing images
   * @param metadata whether the images carry their origin
   */
  public record Target(
      Path outdir,
      Optional<Path> indir,
      Optional<Path> grid,
      Optional<Path> npz,
      Optional<Path> animation,
      Existing existing,
      Metadata metadata) {}

  /**
   * The device and numerics of the networks, and their noise.
   *
   * @param device the device
   * @param dtype the dtype of the computation
   * @param numerics exact or fast
   * @param cudaGraphs whether passes on CUDA are captured and replayed
   * @param noise where the images' random numbers come from
   * @param threads number of threads of an operator; LibTorch's default if empty
   * @param tf32 whether CUDA may use TensorFloat-32; PyTorch's default if empty
   */
  @SuppressWarnings("AvoidCommonTypeNames") // Written SamplingJob.Runtime.
  public record Runtime(
      Device device,
      ComputeType dtype,
      Numerics numerics,
      CudaGraphs cudaGraphs,
      Noise noise,
      OptionalInt threads,
      Optional<CudaPrecision.Tf32> tf32) {
    /**
     * Checks that the device supports the dtype and graphs.
     *
     * @throws OptionException for float16 on the CPU, and for graphs without CUDA or fast numerics
     */
    public Runtime {
      if (dtype.equals(new ComputeType.Fixed(DType.FLOAT16)) && device.type() == Device.Type.CPU) {
        throw new OptionException(
            "--dtype=float16 requires --device=cuda; on the CPU, use bfloat16 or float32");
      }
      if (cudaGraphs == CudaGraphs.ON
          && (device.type() == Device.Type.CPU || numerics != Numerics.FAST)) {
        throw new OptionException("--cuda-graphs=on requires --device=cuda and --numerics=fast");
      }
    }

    /** Returns the same with another source of random numbers. */
    Runtime with(Noise other) {
      return new Runtime(device, dtype, numerics, cudaGraphs, other, threads, tf32);
    }

    /** Returns whether TensorFloat-32 was allowed or forbidden; null if neither, or on the CPU. */
    @Nullable Boolean recordedTf32() {
      return device.type() == Device.Type.CPU
          ? null
          : tf32.map(chosen -> chosen == CudaPrecision.Tf32.ALLOWED).orElse(null);
    }

    /**
     * Returns the dtypes of the networks, as far as they are known before the networks are read.
     */
    String dtypeText() {
      return device.type() == Device.Type.CPU ? dtype.of(Map.of(), device).torchName() : "" + dtype;
    }

    /** Returns the source of random numbers on this device. */
    String noiseText() {
      return noise.on(device).toString();
    }
  }

  /**
   * Checks the combination of options.
   *
   * @throws OptionException naming the option that is missing or not applicable
   */
  public SamplingJob {
    requireComplete(range, networks, target);
  }

  /**
   * Checks the combination of options before LibTorch is loaded for the others.
   *
   * @throws OptionException naming the option that is missing or not applicable
   */
  static void requireComplete(StageRange range, StageNetworks networks, Target target) {
    networks.requireComplete(range);
    if (range.startsFromImages() && target.indir().isEmpty()) {
      throw new OptionException(
          "--sampler_stages=%s requires --indir, the images of the %s stage"
              .formatted(range, StageNames.of(range.from() - 1)));
    }
    if (!range.startsFromImages() && target.indir().isPresent()) {
      throw new OptionException(
          "--indir is only valid with --sampler_stages=second, third, ... or a range of them");
    }
  }

  /** Returns the index of the last stage that runs. */
  int last() {
    return range.to().orElseGet(() -> networks.networks().lastKey());
  }

  /** Returns the number of stages that run. */
  int count() {
    return last() - range.from() + 1;
  }

  /** Returns everything that determines the images, under the names of the command's options. */
  public Map<String, @Nullable Object> resolved() {
    Map<String, @Nullable Object> options = new LinkedHashMap<>();
    options.put("command", command);
    options.put("outdir", target.outdir());
    options.put("indir", target.indir());
    options.put("seeds", seedsText);
    options.put("batch", batch);
    options.put("class", plain(classes));
    options.put("sampler_stages", range.toString());
    for (int i = 0; i < ALWAYS_RECORDED; i++) {
      options.put("network_" + StageNames.of(i), null);
    }
    networks.forEach((option, file) -> options.put(option, file.toString()));
    for (int i = 0; i < Math.max(ALWAYS_RECORDED, networks.networks().lastKey() + 1); i++) {
      options.put(StageNames.of(i), StageOptionTable.values(stages.get(i)));
    }
    options.put("enhancement", enhancement);
    options.put("device", runtime.device().toString());
    options.put("dtype", runtime.dtypeText());
    options.put("numerics", runtime.numerics());
    options.put(SamplingRecord.NOISE, runtime.noiseText());
    options.put("tf32", runtime.recordedTf32());
    options.put("world_size", rank.worldSize());
    return options;
  }

  /** Returns null for all classes, one class as a number, several as they were typed. */
  private static @Nullable Object plain(ClassList classes) {
    if (classes.isAll()) {
      return null;
    }
    return classes.labels().size() == 1 ? classes.labels().getFirst() : classes.toString();
  }
}
