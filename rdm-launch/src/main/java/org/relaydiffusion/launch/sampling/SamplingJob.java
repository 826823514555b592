package org.relaydiffusion.launch.sampling;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.diffusion.ClassList;
import org.relaydiffusion.diffusion.ComputeType;
import org.relaydiffusion.diffusion.EdmOptions;
import org.relaydiffusion.diffusion.RelayOptions;
import org.relaydiffusion.diffusion.Stage;
import org.relaydiffusion.diffusion.Stages;
import org.relaydiffusion.diffusion.image.Enhancement;
import org.relaydiffusion.diffusion.random.Seeds;
import org.relaydiffusion.launch.download.SourceFile;
import org.relaydiffusion.launch.rank.Rank;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;
import org.relaydiffusion.torch.Device;

/**
 * All that a sampling command was asked to do.
 *
 * @param command its name, such as {@code generate}
 * @param networkFirst the first stage's checkpoint
 * @param networkSecond the second stage's checkpoint
 * @param target where pictures go
 * @param seeds one a picture
 * @param seedsText the same as it was typed
 * @param batch the most pictures at once
 * @param classes the classes that the pictures take in turn
 * @param stages which stages run
 * @param first the first sampler's options
 * @param second the second sampler's options
 * @param enhancement what is done to finished pictures
 * @param runtime where and how the networks run
 * @param rank this process among those that share the run
 */
public record SamplingJob(
    String command,
    Optional<SourceFile> networkFirst,
    Optional<SourceFile> networkSecond,
    Target target,
    Seeds seeds,
    String seedsText,
    int batch,
    ClassList classes,
    Stages stages,
    EdmOptions first,
    RelayOptions second,
    Enhancement enhancement,
    Runtime runtime,
    Rank rank) {

  /** What is done about pictures that are there from an earlier run. */
  public enum Existing {
    /** They are made again. */
    REPLACE,
    /** Those that are whole stay. */
    KEEP
  }

  /**
   * Files.
   *
   * @param outdir the folder for pictures
   * @param indir the folder with the first stage's pictures, for {@link Stages#SECOND}
   * @param grid the contact sheet, if one is wanted
   * @param npz the file of all pictures in one array, if it is wanted
   * @param existing what becomes of pictures that are there already
   */
  public record Target(
      Path outdir,
      Optional<Path> indir,
      Optional<Path> grid,
      Optional<Path> npz,
      Existing existing) {}

  /**
   * Where and how the networks run.
   *
   * @param device the device
   * @param dtype the type they compute in
   * @param numerics exact or fast
   * @param threads for one operator; LibTorch's choice where absent
   */
  @SuppressWarnings("AvoidCommonTypeNames") // Written SamplingJob.Runtime.
  public record Runtime(Device device, ComputeType dtype, Numerics numerics, OptionalInt threads) {
    /**
     * Checks that the device has the type.
     *
     * @throws OptionException for float16 on the CPU
     */
    public Runtime {
      if (dtype.equals(new ComputeType.Fixed(DType.FLOAT16)) && device.type() == Device.Type.CPU) {
        throw new OptionException(
            "--dtype=float16 needs --device=cuda; on the CPU use bfloat16 or float32");
      }
    }

    /** The types of the networks as far as they are known before these are read. */
    String dtypeText() {
      return device.type() == Device.Type.CPU ? dtype.of(Map.of(), device).torchName() : "" + dtype;
    }
  }

  /**
   * Checks what belongs together.
   *
   * @throws OptionException naming the option that is missing or has no meaning here
   */
  public SamplingJob {
    requireComplete(stages, networkFirst, networkSecond, target);
  }

  /**
   * Checks what belongs together, before LibTorch is loaded for the rest.
   *
   * @throws OptionException naming the option that is missing or has no meaning here
   */
  static void requireComplete(Stages stages, Optional<?> first, Optional<?> second, Target target) {
    requireNetwork(stages, Stage.FIRST, first);
    requireNetwork(stages, Stage.SECOND, second);
    if (stages == Stages.SECOND && target.indir().isEmpty()) {
      throw new OptionException(
          "--sampler_stages=second needs --indir, the folder with the first stage's pictures");
    }
    if (stages != Stages.SECOND && target.indir().isPresent()) {
      throw new OptionException("--indir is only for --sampler_stages=second");
    }
  }

  /** Everything that decides what the pictures are, in the command's own names. */
  public Map<String, @Nullable Object> resolved() {
    Map<String, @Nullable Object> options = new LinkedHashMap<>();
    options.put("command", command);
    options.put("outdir", target.outdir());
    options.put("indir", target.indir());
    options.put("seeds", seedsText);
    options.put("batch", batch);
    options.put("class", plain(classes));
    options.put("sampler_stages", stages);
    options.put("network_first", networkFirst.map(SourceFile::toString));
    options.put("network_second", networkSecond.map(SourceFile::toString));
    options.put("first", first);
    options.put("second", second);
    options.put("enhancement", enhancement);
    options.put("device", runtime.device().toString());
    options.put("dtype", runtime.dtypeText());
    options.put("numerics", runtime.numerics());
    options.put("world_size", rank.worldSize());
    return options;
  }

  /** Nothing for all classes, one class as a number, several as they are typed. */
  private static @Nullable Object plain(ClassList classes) {
    if (classes.isAll()) {
      return null;
    }
    return classes.labels().size() == 1 ? classes.labels().getFirst() : classes.toString();
  }

  private static void requireNetwork(Stages stages, Stage stage, Optional<?> network) {
    if (stages.include(stage) && network.isEmpty()) {
      String name = stage.name().toLowerCase(Locale.ROOT);
      throw new OptionException(
          "--network_%s is missing: the %s stage needs its checkpoint".formatted(name, name));
    }
  }
}
