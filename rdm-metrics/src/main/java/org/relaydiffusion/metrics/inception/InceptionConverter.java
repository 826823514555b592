package org.relaydiffusion.metrics.inception;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.relaydiffusion.FileException;
import org.relaydiffusion.OptionException;
import org.relaydiffusion.Printable;
import org.relaydiffusion.checkpoint.ConversionReport;
import org.relaydiffusion.checkpoint.ModuleFile;
import org.relaydiffusion.checkpoint.Verification;
import org.relaydiffusion.io.OutputFile;
import org.relaydiffusion.model.safetensors.SafetensorsWriter;

/**
 * Turns the files in which Inception-v3 is handed round into the one that {@link Inception} opens:
 * NVIDIA's {@code .pkl} and TorchScript {@code .pt}, the {@code .pth} of pytorch-fid and
 * torch-fidelity, and any {@code .pt} or {@code .safetensors} with the tensors of either. What a
 * file is, is told by its content; nothing in it is executed.
 */
public final class InceptionConverter {
  private final Widths widths;

  /** A converter of the published network. */
  public InceptionConverter() {
    this(Widths.PUBLISHED);
  }

  /** A converter of a network with other numbers of channels. */
  InceptionConverter(Widths widths) {
    this.widths = widths;
  }

  /**
   * Converts a file and reads the result back.
   *
   * @param target the {@code .safetensors} to write, whole or not at all; folders above it are made
   * @return what was written; every tensor is equal
   * @throws FileException when the source is broken, is another network or holds no network, or
   *     when what was written is not what was read
   * @throws OptionException when both files are one
   */
  public InceptionConversion convert(Path source, Path target) {
    OutputFile.refuseInput(target, source);
    try (ModuleFile file = ModuleFile.open(source);
        InceptionV3 network = new InceptionV3(widths)) {
      InceptionState state = InceptionState.read(file, network);
      SafetensorsWriter.writeSources(target, state.tensors(), metadata(file));
      try (ModuleFile written = ModuleFile.open(target)) {
        ConversionReport report =
            new ConversionReport(
                source, target, Verification.compare(state.tensors(), written.tensors()));
        return new InceptionConversion(
            Verification.checkEqual(report), file.kind(), state.warnings());
      }
    }
  }

  private static Map<String, String> metadata(ModuleFile source) {
    Map<String, String> metadata = new LinkedHashMap<>();
    metadata.put("format", "pt");
    metadata.put(InceptionWeights.EDITION_KEY, InceptionWeights.EDITION);
    metadata.put("rdm.source", Printable.of(String.valueOf(source.path().getFileName())));
    metadata.put("rdm.source_kind", source.kind());
    metadata.put("rdm.source_sha256", InceptionWeights.sha256(source.path()));
    return metadata;
  }
}
