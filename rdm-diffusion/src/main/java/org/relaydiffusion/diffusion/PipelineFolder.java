// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.diffusion;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import org.relaydiffusion.FileException;
import org.relaydiffusion.diffusion.image.Enhancement;
import org.relaydiffusion.io.FileSum;

/**
 * A pipeline in one folder: a {@code .safetensors} file per network, and {@code pipeline.json} with
 * the options of the stages, the post-processing, and the size and SHA-256 of each file. Written by
 * {@link PipelinePacker} ({@code rdm pack}).
 *
 * <p>A folder is untrusted: it is data, and can only name files that are directly in it.
 *
 * @param path the folder
 * @param stages by index from 0; the first ones may be absent, if only later ones run
 * @param enhancement the post-processing of the images
 */
public record PipelineFolder(
    Path path, SortedMap<Integer, PipelineFolder.Part> stages, Enhancement enhancement) {
  /** The name of the file that describes the pipeline. */
  public static final String FILE = "pipeline.json";

  /**
   * A stage of the pipeline.
   *
   * @param network its network
   * @param guide the weaker network by which it is guided, for autoguidance
   * @param options the defaults of requests
   */
  public record Part(PipelineFile network, Optional<PipelineFile> guide, StageOptions options) {}

  /** Copies the stages. */
  public PipelineFolder {
    stages = Collections.unmodifiableSortedMap(new TreeMap<>(stages));
  }

  /**
   * Reads {@code pipeline.json}, and checks that its files exist and have their sizes. Their
   * content is not read, see {@link #verify}.
   *
   * @throws FileException if the folder is no pipeline of a known version, an option is unknown or
   *     out of range, or a file is missing or has another size
   */
  public static PipelineFolder open(Path folder) {
    PipelineFolder read = PipelineJson.read(folder);
    read.files().forEach(PipelineFile::checkSize);
    return read;
  }

  /** Returns the networks and guides, in the order of the stages. */
  public List<PipelineFile> files() {
    List<PipelineFile> files = new ArrayList<>();
    for (Part stage : stages.values()) {
      files.add(stage.network());
      stage.guide().ifPresent(files::add);
    }
    return files;
  }

  /**
   * Reads all files and compares their SHA-256.
   *
   * @throws FileException naming the file that was changed
   */
  public void verify() {
    files().forEach(file -> file.checkSum(FileSum.sha256(file.path())));
  }

  /** Returns a request with the options and the post-processing of the folder. */
  public SampleRequest.Builder request() {
    SampleRequest.Builder request = SampleRequest.builder().enhancement(enhancement);
    stages.forEach((index, stage) -> request.stage(index, stage.options()));
    return request;
  }

  /** Returns the options of all stages that a pipeline can have; of absent ones, the defaults. */
  public List<StageOptions> options() {
    List<StageOptions> options = new ArrayList<>(Preset.GENERATE.stages());
    stages.forEach((index, stage) -> options.set(index, stage.options()));
    return List.copyOf(options);
  }
}
