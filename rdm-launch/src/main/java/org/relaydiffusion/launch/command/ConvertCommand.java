package org.relaydiffusion.launch.command;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.relaydiffusion.checkpoint.CheckpointConverter;
import org.relaydiffusion.checkpoint.ConversionReport;
import org.relaydiffusion.checkpoint.NetworkValidator;
import org.relaydiffusion.checkpoint.Which;
import org.relaydiffusion.launch.Console;
import org.relaydiffusion.launch.ExitCode;
import org.relaydiffusion.launch.Json;
import org.relaydiffusion.launch.progress.Durations;
import org.relaydiffusion.torch.DType;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code rdm convert}. */
@Command(
    name = "convert",
    description = {
      "Turn an official checkpoint into a .safetensors file that opens at once.",
      "The result is read back, and every tensor compared with its source."
    })
final class ConvertCommand implements Callable<Integer> {
  private static final double NANOS = 1e9;

  private final Console console;

  @Option(
      names = "--source",
      paramLabel = "FILE",
      required = true,
      description = "The checkpoint: .pkl, .pt or .safetensors.")
  private Path source = Path.of("");

  @Option(
      names = "--dest",
      paramLabel = "FILE",
      required = true,
      description = "The .safetensors file to write; an old one is replaced.")
  private Path target = Path.of("");

  @Option(
      names = "--which",
      paramLabel = "ema|net",
      completionCandidates = Candidates.NetworkKeys.class,
      description =
          "Which network: the moving average, which one samples from, or the one that training goes"
              + " on with. Default: ${DEFAULT-VALUE}.",
      defaultValue = "ema")
  private Which which = Which.EMA;

  @Option(
      names = "--dtype",
      paramLabel = "float32|bfloat16|float16",
      completionCandidates = Candidates.Types.class,
      description = "Type of all floating-point tensors there. Default: each one's own.")
  private @Nullable DType dtype;

  @Mixin private final ReportOptions report = new ReportOptions();

  ConvertCommand(Console console) {
    this.console = console;
  }

  @Override
  public Integer call() {
    report.apply();
    if (!report.quiet) {
      console.err().println("rdm convert: %s -> %s".formatted(source, target));
    }
    long began = System.nanoTime();
    ConversionReport done =
        new CheckpointConverter(NetworkValidator.definition())
            .convert(source, target, which, Optional.ofNullable(dtype));
    double seconds = (System.nanoTime() - began) / NANOS;
    if (report.json) {
      console.out().println(Json.write(json(done, seconds)));
    } else {
      print(done, seconds);
    }
    return ExitCode.OK;
  }

  private void print(ConversionReport done, double seconds) {
    if (report.verbose) {
      for (ConversionReport.TensorCheck tensor : done.tensors()) {
        console
            .out()
            .println(
                "%s  %s %s%s"
                    .formatted(
                        tensor.sha256(),
                        tensor.name(),
                        tensor.dtype().torchName(),
                        tensor.shape()));
      }
    }
    console
        .out()
        .println(
            "%s: %d tensors, all equal to those of %s (SHA-256), %s"
                .formatted(target, done.tensors().size(), source, Durations.text(seconds)));
  }

  private Map<String, Object> json(ConversionReport done, double seconds) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("command", "convert");
    json.put("source", done.source());
    json.put("dest", done.converted());
    json.put("which", which);
    json.put("all_equal", done.allEqual());
    json.put("seconds", seconds);
    json.put("tensors", done.tensors());
    return json;
  }
}
