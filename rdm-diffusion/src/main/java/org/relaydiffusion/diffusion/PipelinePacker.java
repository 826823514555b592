// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.checkpoint.CheckpointConverter;
import org.relaydiffusion.checkpoint.NetworkValidator;
import org.relaydiffusion.checkpoint.Which;
import org.relaydiffusion.diffusion.image.Enhancement;
import org.relaydiffusion.io.AtomicFile;
import org.relaydiffusion.io.FileSum;
import org.relaydiffusion.io.OutputFile;
import org.relaydiffusion.io.UnfinishedFolder;
import org.relaydiffusion.model.Numerics;
import org.relaydiffusion.torch.DType;

/**
 * Writes a {@link PipelineFolder}: the networks for sampling (the EMA) are converted to safetensors
 * files, of which every tensor is compared with its source, and loaded once to check that they fit
 * each other and the options. The folder appears only when it is complete.
 */
public final class PipelinePacker {
  private final SortedMap<Integer, Source> stages = new TreeMap<>();
  private final Enhancement enhancement;
  private Optional<DType> dtype = Optional.empty();

  /** What is done with an existing pipeline folder. */
  public enum Existing {
    /** Nothing is written. */
    REFUSE,
    /** It is replaced when the new one is complete. */
    REPLACE
  }

  /**
   * A stage of the pipeline to write.
   *
   * @param network its checkpoint: {@code .pkl}, {@code .pt} or {@code .safetensors}
   * @param guide the checkpoint of the weaker network by which it is guided
   * @param options the defaults of requests
   */
  public record Source(Path network, Optional<Path> guide, StageOptions options) {}

  /**
   * Creates a packer without stages.
   *
   * @param enhancement the post-processing of the images
   */
  public PipelinePacker(Enhancement enhancement) {
    this.enhancement = enhancement;
  }

  /**
   * Sets a stage. The first ones may be absent, if only later ones run.
   *
   * @param index the place of the stage in the pipeline, from 0
   */
  public PipelinePacker stage(int index, Source source) {
    if (source.options().solver().startsFromNoise() != (index == 0)) {
      throw new IllegalArgumentException(
          "the options of the %s stage are those of another kind of stage"
              .formatted(StageNames.of(index)));
    }
    stages.put(index, source);
    return this;
  }

  /** Sets the dtype of all floating-point tensors in the files; unchanged by default. */
  public PipelinePacker dtype(DType value) {
    dtype = Optional.of(value);
    return this;
  }

  /**
   * Rejects a target that may not be written, before any work.
   *
   * @param existing what is done with an existing pipeline folder
   * @throws FileException if it exists and may not be replaced, or is anything but a pipeline
   *     folder without other files
   */
  public static void check(Path target, Existing existing) {
    OutputFile.refuseExisting(target, existing == Existing.REPLACE);
    if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    if (!Files.isDirectory(target, LinkOption.NOFOLLOW_LINKS)) {
      throw new FileException(target, "is not a folder: --overwrite only replaces pipelines");
    }
    Set<Path> known =
        PipelineJson.read(target).files().stream()
            .map(PipelineFile::path)
            .collect(Collectors.toSet());
    known.add(target.resolve(PipelineFolder.FILE));
    try (Stream<Path> files = Files.list(target)) {
      Optional<Path> other = files.filter(file -> !known.contains(file)).sorted().findFirst();
      if (other.isPresent()) {
        throw new FileException(
            other.get(), "is not part of the pipeline: delete or move it before --overwrite");
      }
    } catch (IOException e) {
      throw new FileException(target, "cannot be listed: " + AtomicFile.reason(e), e);
    }
  }

  /**
   * Writes the folder.
   *
   * @param target the folder
   * @param existing what is done with an existing pipeline folder
   * @return the written folder
   * @throws OptionException if there is no stage, or the networks do not fit each other or the
   *     options
   * @throws FileException if a checkpoint is damaged, or the folder cannot be written; a folder
   *     that was there is then unchanged
   */
  public PipelineFolder write(Path target, Existing existing) {
    check(target, existing);
    checkComplete();
    try (UnfinishedFolder unfinished = UnfinishedFolder.create(target)) {
      SortedMap<Integer, PipelineFolder.Part> parts = new TreeMap<>();
      stages.forEach((index, source) -> parts.put(index, part(unfinished.path(), index, source)));
      PipelineFolder folder = new PipelineFolder(unfinished.path(), parts, enhancement);
      PipelineJson.write(folder);
      checkNetworks(PipelineFolder.open(unfinished.path()));
      // Again: converting takes a while.
      check(target, existing);
      switch (existing) {
        case REFUSE -> unfinished.finishNew();
        case REPLACE -> unfinished.finish();
      }
    }
    return PipelineFolder.open(target);
  }

  private void checkComplete() {
    if (stages.isEmpty()) {
      throw new OptionException("a pipeline requires the checkpoint of at least one stage");
    }
    for (int i = stages.firstKey(); i < stages.lastKey(); i++) {
      if (!stages.containsKey(i)) {
        throw new OptionException(
            "the %s stage requires a checkpoint: there are stages before and after it"
                .formatted(StageNames.of(i)));
      }
    }
  }

  private PipelineFolder.Part part(Path folder, int index, Source source) {
    String name = StageNames.of(index);
    return new PipelineFolder.Part(
        convert(source.network(), folder.resolve(name + ".safetensors")),
        source.guide().map(guide -> convert(guide, folder.resolve(name + "-guide.safetensors"))),
        source.options());
  }

  private PipelineFile convert(Path source, Path file) {
    new CheckpointConverter(NetworkValidator.definition()).convert(source, file, Which.EMA, dtype);
    return PipelineFile.of(
        file, dtype.isEmpty() ? Optional.of(FileSum.sha256(source)) : Optional.empty());
  }

  /** Loads the networks, as mapped files where possible, and checks a request against them. */
  private static void checkNetworks(PipelineFolder folder) {
    int first = folder.stages().firstKey();
    SampleRequest request =
        folder
            .request()
            .range(new StageRange(first, OptionalInt.of(folder.stages().lastKey())))
            .inputs(seed -> {
              throw new IllegalStateException("no image is sampled for seed " + seed);
            })
            .build();
    try (RelayPipeline pipeline =
        RelayPipeline.builder().folder(folder).numerics(Numerics.EXACT).load()) {
      pipeline.sample(request).close();
    }
  }
}
