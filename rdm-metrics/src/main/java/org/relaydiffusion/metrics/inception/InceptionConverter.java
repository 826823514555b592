// SPDX-License-Identifier: Apache-2.0
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
 * Converts published files of Inception-v3 to the format opened by {@link Inception}: NVIDIA's
 * {@code .pkl} and TorchScript {@code .pt}, the {@code .pth} of pytorch-fid and torch-fidelity, and
 * any {@code .pt} or {@code .safetensors} with the tensors of either. The kind of a file is
 * determined by its content; nothing in it is executed.
 */
public final class InceptionConverter {
  private final Widths widths;

  /** Creates a converter of the published network. */
  public InceptionConverter() {
    this(Widths.PUBLISHED);
  }

  /** Creates a converter of a network with other numbers of channels. */
  InceptionConverter(Widths widths) {
    this.widths = widths;
  }

  /**
   * Converts a file and reads the result back.
   *
   * @param source the published file
   * @param target the {@code .safetensors} file, written atomically; parent folders are created
   * @return what was written; every tensor is equal
   * @throws FileException if the source is damaged, contains another network or none, or if the
   *     written file differs
   * @throws OptionException if both files are the same
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
