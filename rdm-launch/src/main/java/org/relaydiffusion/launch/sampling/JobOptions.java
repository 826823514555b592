package org.relaydiffusion.launch.sampling;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.diffusion.ClassList;
import org.relaydiffusion.diffusion.Stages;
import org.relaydiffusion.launch.command.Candidates;
import org.relaydiffusion.launch.command.Section;
import picocli.CommandLine.Option;

/** What to sample, and where the pictures go. */
final class JobOptions implements Section {
  @Option(
      names = "--outdir",
      paramLabel = "DIR",
      required = true,
      description =
          "Where the pictures go, a folder for every 1000 seeds: seed 80123 is"
              + " DIR/080000/080123.png.")
  Path outdir = Path.of("");

  @Option(
      names = "--seeds",
      paramLabel = "LIST",
      description =
          "One seed a picture: numbers and ranges, as in 0-63,100. Default: ${DEFAULT-VALUE}.")
  String seeds = "";

  @Option(
      names = "--subdirs",
      description =
          "Taken for the reference's sake: pictures always go to a folder for every 1000 seeds."
              + " Default: so.")
  boolean subdirs;

  @Option(
      names = "--class",
      paramLabel = "LIST",
      description =
          "Class of every picture, from 0 to the network's classes - 1, or several that the pictures"
              + " take in turn, as in 1,5-9: that of a seed is number seed mod length of the list,"
              + " from 0. Default: all classes.")
  @Nullable String classes;

  @Option(
      names = "--batch",
      paramLabel = "N",
      description =
          "Pictures made at once, at least 1: more take more memory. Default: ${DEFAULT-VALUE}.")
  int batch;

  @Option(
      names = "--sampler_stages",
      paramLabel = "both|first|second",
      completionCandidates = Candidates.StageNames.class,
      description =
          "Which stages run; 'first' writes the small pictures, 'second' starts from those in"
              + " --indir. Default: ${DEFAULT-VALUE}.",
      defaultValue = "both")
  Stages stages = Stages.BOTH;

  @Option(
      names = "--indir",
      paramLabel = "DIR|ZIP",
      description =
          "What the second stage starts from, only for --sampler_stages=second: the first stage's"
              + " pictures, named as in --outdir or {seed}.png in DIR itself; or pictures of any"
              + " names, of which each seed takes the next one in turn. Default: none.")
  @Nullable Path indir;

  @Option(
      names = "--resume",
      description =
          "Skip pictures that are there already and whole; refused where they are of other options"
              + " or networks. Default: off.")
  boolean resume;

  @Option(
      names = "--grid",
      paramLabel = "FILE",
      description =
          "Also write a contact sheet of the first 256 pictures (of the first process, where there"
              + " are several). Default: none.")
  @Nullable Path grid;

  @Option(
      names = "--npz",
      paramLabel = "FILE.npz",
      description =
          "Also write all pictures of the run into one array 'arr_0', uint8 [N, H, W, 3] in the"
              + " order of the seeds, as ADM's evaluator takes it. Default: none.")
  @Nullable Path npz;

  @Override
  public String heading() {
    return "What to make";
  }

  ClassList classes() {
    return classes == null ? ClassList.ALL : ClassList.parse(classes);
  }
}
