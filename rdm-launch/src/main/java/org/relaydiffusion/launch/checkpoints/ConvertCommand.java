// SPDX-License-Identifier: Apache-2.0
package org.relaydiffusion.launch.checkpoints;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.checkpoint.CheckpointConverter;
import org.relaydiffusion.checkpoint.ConversionReport;
import org.relaydiffusion.checkpoint.NetworkDescription;
import org.relaydiffusion.checkpoint.NetworkValidator;
import org.relaydiffusion.checkpoint.Which;
import org.relaydiffusion.io.OutputFile;
import org.relaydiffusion.launch.command.Candidates;
import org.relaydiffusion.launch.command.Console;
import org.relaydiffusion.launch.command.ExitCode;
import org.relaydiffusion.launch.command.ReportOptions;
import org.relaydiffusion.launch.progress.Durations;
import org.relaydiffusion.metrics.inception.InceptionConversion;
import org.relaydiffusion.metrics.inception.InceptionConverter;
import org.relaydiffusion.metrics.inception.InceptionWeights;
import org.relaydiffusion.torch.DType;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code rdm convert}. */
@Command(
    name = "convert",
    description = {
      "Convert an official checkpoint to a .safetensors file, which --numerics=exact loads without"
          + " copying.",
      "The result is read back and every tensor compared with the source.",
      "With --inception: convert a file with Inception-v3, which metrics require."
    })
public final class ConvertCommand implements Callable<Integer> {
  private static final double NANOS = 1e9;

  private final Console console;

  @Option(
      names = "--source",
      paramLabel = "FILE",
      required = true,
      description =
          "The checkpoint: .pkl, .pt or .safetensors; with --inception also a .pth of pytorch-fid"
              + " or torch-fidelity.")
  private Path source = Path.of("");

  @Option(
      names = "--dest",
      paramLabel = "FILE",
      description =
          "The .safetensors file to write; must not exist unless --overwrite is given. Default:"
              + " none; with --inception, the file in the user's cache that metrics use,"
              + " which is replaced.")
  private @Nullable Path target;

  @Option(
      names = "--overwrite",
      description = "Replace an existing --dest. Default: fail if it exists.")
  private boolean overwrite;

  @Option(
      names = "--which",
      paramLabel = "ema|net",
      completionCandidates = Candidates.NetworkKeys.class,
      description =
          "The network to convert: the EMA, which is used for sampling, or the one being"
              + " trained. Default: ema.")
  private @Nullable Which which;

  @Option(
      names = "--config",
      paramLabel = "FILE.json",
      description =
          "For a bare state_dict: the configuration of its network, with \"class_name\""
              + " (EDMPrecond,"
              + " VPPrecond, VEPrecond or iDDPMPrecond) and its arguments in \"init_kwargs\"."
              + " Default:"
              + " none.")
  private @Nullable Path config;

  @Option(
      names = "--like",
      paramLabel = "FILE",
      description =
          "For a bare state_dict: a checkpoint with a network of the same configuration. Default:"
              + " none.")
  private @Nullable Path like;

  @Option(
      names = "--dtype",
      paramLabel = "float32|bfloat16|float16",
      completionCandidates = Candidates.Types.class,
      description = "Dtype of all floating-point tensors in the result. Default: unchanged.")
  private @Nullable DType dtype;

  @Option(
      names = "--inception",
      description = "The source is Inception-v3 of 2015-12-05, for metrics. Default: off.")
  private boolean inception;

  @Mixin private final ReportOptions report = new ReportOptions();

  public ConvertCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    report.apply();
    checkOptions();
    Path dest = target == null ? InceptionWeights.cached(console.environment()) : target;
    OutputFile.refuseInput(dest, source);
    for (Path input : Stream.of(config, like).filter(Objects::nonNull).toList()) {
      OutputFile.refuseInput(dest, input);
    }
    OutputFile.refuseExisting(dest, overwrite || target == null);
    if (!report.quiet) {
      console.say("rdm convert: %s -> %s".formatted(source, dest));
    }
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("command", "convert");
    long began = System.nanoTime();
    ConversionReport done =
        inception ? convertInception(dest, json) : convertCheckpoint(dest, json);
    double seconds = (System.nanoTime() - began) / NANOS;
    if (report.json) {
      json.put("source", done.source());
      json.put("dest", done.converted());
      json.put("all_equal", done.allEqual());
      json.put("seconds", seconds);
      json.put("tensors", done.tensors());
      console.json(json);
    } else {
      print(done, seconds);
    }
    return ExitCode.OK;
  }

  private void checkOptions() {
    if (inception && which != null) {
      throw new OptionException("--which and --inception are mutually exclusive");
    }
    if (inception && dtype != null) {
      throw new OptionException("--dtype and --inception are mutually exclusive");
    }
    if (inception && (config != null || like != null)) {
      String name = config != null ? "--config" : "--like";
      throw new OptionException("%s and --inception are mutually exclusive".formatted(name));
    }
    if (config != null && like != null) {
      throw new OptionException("--config and --like are mutually exclusive");
    }
    if (!inception && target == null) {
      throw new OptionException("--dest is missing: only --inception has a default");
    }
  }

  private ConversionReport convertCheckpoint(Path dest, Map<String, Object> json) {
    Which network = which == null ? Which.EMA : which;
    json.put("which", network);
    return new CheckpointConverter(NetworkValidator.definition())
        .convert(source, dest, network, Optional.ofNullable(dtype), description());
  }

  private Optional<NetworkDescription> description() {
    return Optional.ofNullable(config)
        .map(NetworkDescription::ofJson)
        .or(() -> Optional.ofNullable(like).map(NetworkDescription::like));
  }

  private ConversionReport convertInception(Path dest, Map<String, Object> json) {
    InceptionConversion done = new InceptionConverter().convert(source, dest);
    json.put("source_kind", done.kind());
    json.put("warnings", done.warnings());
    done.warnings().forEach(warning -> console.say("rdm convert: warning: " + warning));
    return done.report();
  }

  private void print(ConversionReport done, double seconds) {
    if (report.verbose) {
      for (ConversionReport.TensorCheck tensor : done.tensors()) {
        console.print(
            "%s  %s %s%s"
                .formatted(
                    tensor.sha256(), tensor.name(), tensor.dtype().torchName(), tensor.shape()));
      }
    }
    console.print(
        "%s: %s tensors, all equal to those of %s (SHA-256), %s"
            .formatted(done.converted(), done.tensors().size(), source, Durations.text(seconds)));
  }
}
