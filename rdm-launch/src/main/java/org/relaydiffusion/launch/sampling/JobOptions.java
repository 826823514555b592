// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.sampling;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.ClassList;
import org.relaydiffusion.diffusion.Interpolation;
import org.relaydiffusion.diffusion.StageRange;
import org.relaydiffusion.launch.command.Candidates;
import org.relaydiffusion.launch.command.Section;
import picocli.CommandLine.Option;

/** What to sample, and the output files. */
final class JobOptions implements Section {
  @Option(
      names = "--outdir",
      paramLabel = "DIR",
      required = true,
      description =
          "The folder for the images, with a subfolder per 1000 seeds: seed 80123 is"
              + " DIR/080000/080123.png.")
  Path outdir = Path.of("");

  @Option(
      names = "--pipeline",
      paramLabel = "DIR",
      description =
          "Sample with the networks, options and post-processing of a folder written by 'rdm pack',"
              + " instead of --network_first and so on; other options override the folder's."
              + " Default: none.")
  @Nullable Path pipeline;

  @Option(
      names = "--like",
      paramLabel = "FILE.png",
      description =
          "Repeat an image: its seed, class and options are read from its file; other options"
              + " override them. The networks must be given, and are compared by SHA-256. Default:"
              + " none.")
  @Nullable Path like;

  @Option(
      names = "--seeds",
      paramLabel = "LIST",
      description =
          "Seeds, one per image: numbers and ranges separated by commas."
              + " Default: ${DEFAULT-VALUE}.")
  String seeds = "";

  @Option(
      names = "--subdirs",
      description =
          "Accepted for compatibility; has no effect. There is always a subfolder per 1000 seeds."
              + " Default: on.")
  boolean subdirs;

  @Option(
      names = "--class",
      paramLabel = "LIST",
      description =
          "Class of all images, from 0 to the number of classes - 1, or several that are assigned"
              + " in turn, as in 1,5-9: a seed gets the entry seed mod length of the list, counted"
              + " from 0. Default: all classes.")
  @Nullable String classes;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description =
          "Batch size, at least 1; larger batches need more memory. Default: ${DEFAULT-VALUE}.")
  int batch;

  @Option(
      names = "--sampler_stages",
      paramLabel = "both|first|second|...",
      completionCandidates = Candidates.StageNames.class,
      description =
          "Stages to run: 'both' runs all that have a network; 'first' writes the low-resolution"
              + " images, 'second' starts from those in --indir; a range is 'first-second' or"
              + " 'second-last'. Default: ${DEFAULT-VALUE}.",
      defaultValue = "both")
  StageRange stages = StageRange.ALL;

  @Option(
      names = "--indir",
      paramLabel = "DIR|ZIP",
      description =
          "Input of --sampler_stages=second and later ones, a folder or zip: the images of the"
              + " stage before, named as in --outdir or {seed}.png in DIR itself; or images with"
              + " any names, which are assigned to the seeds in turn. Default: none.")
  @Nullable Path indir;

  @Option(
      names = "--resume",
      description =
          "Skip images that are already complete; fails if they are of other options"
              + " or networks. Default: off.")
  boolean resume;

  @Option(
      names = "--grid",
      paramLabel = "FILE",
      description =
          "Also write a contact sheet of the first 256 images (of the first process, if there"
              + " are several). Default: none.")
  @Nullable Path grid;

  @Option(
      names = "--npz",
      paramLabel = "FILE.npz",
      description =
          "Also write all images of the run to an array 'arr_0', uint8 [N, H, W, 3] in the"
              + " order of the seeds, as read by ADM's evaluator. Default: none.")
  @Nullable Path npz;

  @Option(
      names = "--no-metadata",
      description =
          "Write images without the text that tells their origin: seed, class, options and names"
              + " and checksums of the networks. Default: with it.")
  boolean noMetadata;

  @Option(
      names = "--animate",
      paramLabel = "FILE.gif",
      description =
          "Also write an animation of how the first images (at most 16) come into being, through"
              + " all stages. Default: none.")
  @Nullable Path animation;

  @Option(
      names = "--interpolate",
      paramLabel = "SEED:SEED:FRAMES",
      description =
          "Instead of --seeds, walk from the image of one seed towards that of another: frames as"
              + " images and as an animation, in --outdir. Default: none.")
  @Nullable Interpolation interpolation;

  @Override
  public String heading() {
    return "Images and output";
  }

  ClassList classes() {
    return classes == null ? ClassList.ALL : ClassList.parse(classes);
  }
}
